import type { Refusal } from "./types.js";

/** The reply that the server would give: chat clients show it like any other 402. */
export function refusalReply({ meter, asked, remaining, resetsAt }: Refusal): Response {
  const error = {
    code: "usage_limit_exceeded",
    message: `only ${remaining} of ${meter} left and ${asked} asked for`,
    type: "insufficient_quota",
    param: null,
    request_id: null,
    meter,
    remaining,
    resets_at: resetsAt ?? null,
  };
  return new Response(JSON.stringify({ error }), {
    status: 402,
    statusText: "Payment Required",
    headers: { "Content-Type": "application/json" },
  });
}
