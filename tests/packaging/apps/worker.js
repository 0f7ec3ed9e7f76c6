// The same visitor, in a worker: no window, no document.
import { Worker } from "node:worker_threads";

new Worker(new URL("visitor.js", import.meta.url));
