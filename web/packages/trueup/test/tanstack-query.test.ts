import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { usageQueryKey, usageQueryOptions, writeUsageQuery } from "../src/tanstack-query/index.js";
import { startVisitor } from "./support.js";

const ONE = { charge: { premium_messages: 1 } };

test("the query has the view now and after every change, until the writer leaves", async () => {
  const usage = await startVisitor();
  const client = new QueryClient();
  const leave = writeUsageQuery(usage, client);
  expect(client.getQueryData(usageQueryKey)).toEqual(usage.getSnapshot());
  usage.begin(ONE);
  const written = usage.getSnapshot();
  expect(client.getQueryData(usageQueryKey)).toEqual(written);
  leave();
  usage.begin(ONE);
  expect(client.getQueryData(usageQueryKey)).toEqual(written);
});

test("what another writes into the query does not outlive the next change", async () => {
  const usage = await startVisitor();
  const client = new QueryClient();
  writeUsageQuery(usage, client, ["usage"]);
  client.setQueryData(["usage"], { wrong: true });
  usage.begin(ONE);
  expect(client.getQueryData(["usage"])).toEqual(usage.getSnapshot());
});

test("fetching the query gives the current view", async () => {
  const usage = await startVisitor();
  const client = new QueryClient();
  const options = usageQueryOptions(usage);
  expect(await client.fetchQuery(options)).toEqual(usage.getSnapshot());
  usage.begin(ONE);
  await client.invalidateQueries({ queryKey: options.queryKey });
  expect(await client.fetchQuery(options)).toEqual(usage.getSnapshot());
});
