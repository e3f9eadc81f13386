"use strict";

// Renews the picture while somebody looks at it. Without this script the page reloads by itself.

const EVERY = 2000; // milliseconds
const place = document.getElementById("picture");
const age = document.getElementById("age");
let renewed = new Date();

async function renew() {
  if (document.hidden) return;
  try {
    // A login page is no picture: a redirect is not followed.
    const answer = await fetch(place.dataset.source, { redirect: "error", cache: "no-store" });
    if (!answer.headers.get("Content-Type").startsWith("text/html")) throw new Error(answer.status);
    const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
    place.innerHTML = await answer.text();
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    renewed = new Date();
    age.textContent = "";
  } catch {
    age.textContent = `Not renewed since ${renewed.toLocaleTimeString()}: reload the page to try again.`;
  }
}

async function keepRenewing() {
  await renew();
  setTimeout(keepRenewing, EVERY);
}

setTimeout(keepRenewing, EVERY);
