// A rate limiter in the place of a ledger: it counts, and keeps no record of what.
import Fastify from "fastify";
import pg from "pg";
import { RateLimiterPostgres } from "rate-limiter-flexible";

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.POOL ?? 20),
});
const app = Fastify();

const limiter = await new Promise((resolve, reject) => {
  const options = {
    storeClient: pool,
    tableName: "limits",
    keyPrefix: "units",
    points: 1_000_000_000,
    duration: 30 * 24 * 3600,
  };
  const made = new RateLimiterPostgres(options, (error) => (error ? reject(error) : resolve(made)));
});

app.post("/v1/consume", async (request, reply) => {
  try {
    const { remainingPoints, msBeforeNext } = await limiter.consume(request.body.account, 1);
    return { remaining: remainingPoints, resets_in_ms: msBeforeNext };
  } catch (refusal) {
    if (refusal instanceof Error) throw refusal;
    return reply.code(402).send({ remaining: 0, resets_in_ms: refusal.msBeforeNext });
  }
});

const address = await app.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`listens on ${address}\n`);
