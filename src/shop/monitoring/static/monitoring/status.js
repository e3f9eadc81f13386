"use strict";

// Renews the page while somebody looks at it, and leaves where they have scrolled to alone.
// Without this script the page reloads by itself.

const place = () => document.getElementById("status");
let renewed = new Date();

async function renew() {
  if (document.hidden) return;
  try {
    // A login page is no status: a redirect is not followed.
    const answer = await fetch(location.href, { redirect: "error", cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    place().replaceWith(document.adoptNode(page.getElementById("status")));
    renewed = new Date();
  } catch {
    document.getElementById("age").textContent =
      `Not renewed since ${renewed.toLocaleTimeString()}: reload the page to try again.`;
  }
}

async function keepRenewing() {
  await renew();
  setTimeout(keepRenewing, place().dataset.refresh * 1000);
}

setTimeout(keepRenewing, place().dataset.refresh * 1000);
