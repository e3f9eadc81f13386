// A shopper's journey through a running shop in the words of the generated types, errors included:
// what is not narrowed here does not compile. `node dist/journey.js http://127.0.0.1:8080`

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/schema.js";

type Schemas = components["schemas"];
const PASSWORD = "correct horse battery staple";
const baseUrl = process.argv[2] ?? "http://127.0.0.1:8080";
const visitor = createClient<paths>({ baseUrl });
type Client = typeof visitor;
const signedIn = (access: string): Client =>
  createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${access}` } });
const key = () => ({ header: { "Idempotency-Key": randomUUID() } });

function there<T>(value: T | undefined, what: string, error?: unknown): T {
  assert.ok(value !== undefined, `${what}: ${JSON.stringify(error)}`);
  return value;
}

async function register(): Promise<Schemas["Session"]> {
  const username = `user-${randomUUID().slice(0, 12)}`;
  const body = { username, email: `${username}@example.com`, password: PASSWORD };
  const { data, error } = await visitor.POST("/api/auth/register/", { body });
  const session = there(data, "register", error);
  assert.equal(session.user.role, "customer");

  const again = await visitor.POST("/api/auth/register/", { body });
  assert.ok(again.error?.code === "already_taken");
  assert.equal(again.error.field, "email"); // a member that this code alone has

  const weak = await visitor.POST("/api/auth/register/", { body: { ...body, username: "x" } });
  assert.ok(weak.error?.code === "invalid");
  assert.deepEqual(weak.error.errors.map(({ field }) => field), ["username"]);
  return session;
}

async function refresh(session: Schemas["Session"]): Promise<string> {
  const body = { refresh: session.refresh };
  const tabs = [0, 1].map(() => visitor.POST("/api/auth/refresh/", { body }));
  const pairs = (await Promise.all(tabs)).map(({ data, error }) => there(data, "refresh", error));
  return pairs[0]!.access;
}

async function inStock(): Promise<Schemas["Product"]> {
  const query = { in_stock: true, page_size: 1, ordering: "-price" } as const;
  const { data, error } = await visitor.GET("/api/products/", { params: { query } });
  return there(there(data, "products", error).results[0], "no product is in stock");
}

async function fill(me: Client, product: Schemas["Product"]): Promise<void> {
  const body = { product_id: product.id, quantity: 1 };
  const { data, error } = await me.POST("/api/cart/items/", { body });
  const line = there(data, "cart", error);
  const cart = await me.GET("/api/cart/");
  const etag = there(cart.response.headers.get("ETag") ?? undefined, "the cart's ETag");
  const path = { item_id: line.id };
  const change = (ifMatch: string) =>
    me.PATCH("/api/cart/items/{item_id}/", {
      params: { path, header: { "If-Match": ifMatch } },
      body: { quantity: 1 },
    });
  const changed = await change(etag);
  assert.equal(changed.data?.product_name, product.name);
  assert.notEqual(changed.response.headers.get("ETag"), etag);
  const late = await change(etag);
  assert.ok(late.error?.code === "precondition_failed");
}

async function buy(me: Client): Promise<Schemas["Order"]> {
  const params = key();
  const body = { payment_method: "card", payment_token: "tok_success" } as const;
  const { data, error } = await me.POST("/api/orders/", { params, body });
  const order = there(data, "order", error);
  const again = await me.POST("/api/orders/", { params, body });
  assert.equal(again.response.headers.get("Idempotent-Replayed"), "true");
  assert.deepEqual(again.data, order);
  return order;
}

async function untilPaid(me: Client, order: Schemas["Order"]): Promise<void> {
  const params = { path: { order_id: order.id } };
  for (let tries = 0; tries < 60; tries += 1) {
    const { data, error } = await me.GET("/api/orders/{order_id}/", { params });
    if (there(data, "read the order", error).order_status === "paid") return;
    await pause(500);
  }
  assert.fail("the order was not paid within half a minute");
}

async function fallShort(me: Client, product: Schemas["Product"]): Promise<void> {
  const body = { product_id: product.id, quantity: 900 };
  const added = await me.POST("/api/cart/items/", { body });
  there(added.data, "900 units", added.error);
  const { error } = await me.POST("/api/orders/", {
    params: key(),
    body: { payment_method: "card" },
  });
  if (error?.code === "insufficient_stock") {
    assert.equal(error.lines[0]?.requested, 900);
    return;
  }
  assert.equal(error, undefined, "900 units of it are in stock, or they fall short");
}

async function cancel(me: Client, order: Schemas["Order"]): Promise<void> {
  const path = { order_id: order.id };
  const once = () => me.POST("/api/orders/{order_id}/cancel/", { params: { path, ...key() } });
  assert.equal((await once()).data?.order_status, "cancelled");
  const { error } = await once();
  assert.ok(error?.code === "invalid_transition");
  assert.equal(error.from, "cancelled");
}

async function leave(me: Client, order: Schemas["Order"]): Promise<void> {
  const { data, error } = await me.GET("/api/users/me/export/");
  const mine = there(data, "export", error).orders.find(({ id }) => id === order.id);
  assert.equal(mine?.payments[0]?.amount, order.total_amount);
  const gone = await me.DELETE("/api/users/me/", { body: { password: PASSWORD } });
  assert.equal(gone.response.status, 204);
}

const session = await register();
const me = signedIn(await refresh(session));
const product = await inStock();
await fill(me, product);
const order = await buy(me);
await untilPaid(me, order);
await fallShort(me, product);
await cancel(me, order);
await leave(me, order);
console.log(`played: ${order.id}, ${order.total_amount}`);
