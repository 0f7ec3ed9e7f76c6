import { Server } from "./server.ts";

/** A server that clients talk to. */
export interface House {
  readonly server: Server;
  stop(): Promise<void>;
}

/** A server whose models are another server's. */
export interface Chain extends House {
  readonly upstream: Server;
}

/** The account that the server behind charges for what the server in front asks. */
export const RESELLER = "reseller";

export async function openChain(): Promise<Chain> {
  const upstream = await Server.start({ premiumLimit: 1000 });
  const server = await Server.start({ upstream: { server: upstream, account: RESELLER } });
  const stop = async () => {
    await server.stop();
    await upstream.stop();
  };
  return { server, upstream, stop };
}

/** What may stand behind the gateway; to its clients all look the same. */
export const HOUSES: Readonly<Record<string, () => Promise<House>>> = {
  "in front of the simulation": async () => {
    const server = await Server.start();
    return { server, stop: () => server.stop() };
  },
  "in front of another gateway": openChain,
};

let visitors = 0;

/** An account that no other test uses. */
export async function visitor(house: House): Promise<{ account: string; token: string }> {
  visitors += 1;
  const account = `visitor_${visitors}`;
  return { account, token: await house.server.token(account) };
}
