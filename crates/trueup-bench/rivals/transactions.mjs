// The operations API as it is usually written: a transaction a request, the account's row locked.
// It keeps the same tables as Trueup, so that both write the same.
import Fastify from "fastify";
import pg from "pg";

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.POOL ?? 20),
});
const app = Fastify();

// Statements are prepared once a connection.
const SQL = {
  lock: "SELECT version, plan, time_zone, anchor_at, overrides FROM account WHERE account_id = $1 FOR UPDATE",
  balance:
    "SELECT meter, window_number, window_start, window_end, plan_limit, enforcement, granted, used, held FROM balance WHERE account_id = $1",
  known: "SELECT state FROM operation WHERE account_id = $1 AND op_id = $2",
  version: "UPDATE account SET version = $2 WHERE account_id = $1",
  hold: "UPDATE balance SET held = held + 1 WHERE account_id = $1 AND meter = 'units'",
  charge:
    "UPDATE balance SET held = held - 1, used = used + 1 WHERE account_id = $1 AND meter = 'units'",
  open: `INSERT INTO operation (account_id, op_id, actor_id, model, state, cause, version, requested, holds, charged, expires_at, changed_at)
    VALUES ($1, $2, $1, $3, 'held', 'held', $4, '{"units":1}', '[{"meter":"units","units":1,"window":1}]', '{}', $5, $6)`,
  settle: `UPDATE operation SET state = 'settled', cause = 'settled', version = $3, holds = '[]', charged = '{"units":1}', changed_at = $4
    WHERE account_id = $1 AND op_id = $2`,
  entry: `INSERT INTO entry (account_id, version, line, kind, cause, op_id, actor_id, made_at, meter, window_number, used, held, granted, limit_moved, seen_moved, overage)
    VALUES ($1, $2, 0, $3, $4, $5, $1, $6, 'units', 1, $7, $8, 0, 0, $9, 0)`,
};

async function transaction(work) {
  const client = await pool.connect();
  const run = (name, values) => client.query({ name, text: SQL[name], values });
  try {
    await client.query("BEGIN");
    const answer = await work(run);
    await client.query("COMMIT");
    return answer;
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

async function read(run, account, id) {
  const { rows: accounts } = await run("lock", [account]);
  const { rows: balances } = await run("balance", [account]);
  const { rows: known } = await run("known", [account, id]);
  return { version: Number(accounts[0].version), meter: balances[0], known: known[0] };
}

const snapshot = (account, version, meter, operation) => ({
  account,
  version,
  as_of: new Date().toISOString(),
  meters: {
    units: {
      limit: Number(meter.plan_limit),
      used: Number(meter.used) + operation.used,
      held: Number(meter.held) + operation.held,
      enforcement: meter.enforcement,
      window: {
        start: new Date(Number(meter.window_start)).toISOString(),
        end: new Date(Number(meter.window_end)).toISOString(),
      },
    },
  },
  operations: [operation],
});

app.post("/v1/operations", async (request, reply) => {
  const { account, op_id: id, model } = request.body;
  const answer = await transaction(async (run) => {
    const now = Date.now();
    const { version, meter, known } = await read(run, account, id);
    if (known) return { status: 200, version, meter, used: 0, held: 0 };
    if (Number(meter.used) + Number(meter.held) + 1 > Number(meter.plan_limit)) {
      return { status: 402, version, meter, used: 0, held: 0 };
    }
    await run("version", [account, version + 1]);
    await run("hold", [account]);
    await run("open", [account, id, model, version + 1, now + 3600_000, now]);
    await run("entry", [account, version + 1, "hold", "held", id, now, 0, 1, 1]);
    return { status: 201, version: version + 1, meter, used: 0, held: 1 };
  });
  const { status, version, meter, used, held } = answer;
  return reply
    .code(status)
    .send(snapshot(account, version, meter, { id, state: "held", used, held }));
});

app.post("/v1/operations/:id/settle", async (request, reply) => {
  const { account } = request.body;
  const { id } = request.params;
  const answer = await transaction(async (run) => {
    const now = Date.now();
    const { version, meter, known } = await read(run, account, id);
    if (!known) return { status: 404, version, meter, used: 0, held: 0 };
    if (known.state === "settled") return { status: 200, version, meter, used: 0, held: 0 };
    await run("version", [account, version + 1]);
    await run("charge", [account]);
    await run("settle", [account, id, version + 1, now]);
    await run("entry", [account, version + 1, "settle", "settled", id, now, 1, -1, 0]);
    return { status: 200, version: version + 1, meter, used: 1, held: -1 };
  });
  const { status, version, meter, used, held } = answer;
  return reply
    .code(status)
    .send(snapshot(account, version, meter, { id, state: "settled", used, held }));
});

const address = await app.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`listens on ${address}\n`);
