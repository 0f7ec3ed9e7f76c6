import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { API_KEY, Server } from "../src/server.ts";

const README = new URL("../../../README.md", import.meta.url);

test("the commands of the README hold and settle in any POSIX shell", async () => {
  const server = await Server.start();
  onTestFinished(() => server.stop());
  const blocks = (await readFile(README, "utf8")).matchAll(/```sh\n(.*?)```/gs);
  const commands = [...blocks]
    .map(([, text = ""]) => text)
    .find((text) => text.includes("/settle"));
  const here = `curl() { command curl -sSf "$@"; }\n${commands}`;
  const script = here.replaceAll("localhost:8787", server.url);
  const env = { ...process.env, TRUEUP_API_KEY: API_KEY };
  await promisify(execFile)("sh", ["-euc", script], { env });
  const { meters } = await server.usage(await server.token("acct_7"));
  expect(meters.premium_messages).toMatchObject({ used: 0, held: 0 });
  expect(meters.standard_messages).toMatchObject({ used: 1, held: 0 });
});
