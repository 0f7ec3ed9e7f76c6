import type { Scene } from "./scene";

/** The roles of what is saved, and what is used and held, at one version of the account. */
export async function savedAndCounted({ backend, account }: Scene) {
  for (;;) {
    const before = await backend.usage(account);
    const roles = (await backend.messages(account)).map(({ role }) => role);
    const { version, meters } = await backend.usage(account);
    // Two calls are no transaction: a change between them tells nothing.
    if (version !== before.version) continue;
    const { used, held } = meters.premium_messages ?? {};
    return { roles, used, held };
  }
}
