import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const here = fileURLToPath(new URL("..", import.meta.url));
const PACKAGE = join(here, "../../web/packages/trueup");
const require = createRequire(import.meta.url);

/** A reader's project, outside this repository, with the packed package installed. */
export class Reader {
  private constructor(
    /** The project's folder. */
    readonly folder: string,
    /** The files in the package. */
    readonly packed: readonly string[],
  ) {}

  static async start(): Promise<Reader> {
    const folder = await mkdtemp(join(tmpdir(), "trueup-packaging-"));
    const flags = ["--json", "--ignore-scripts", "--pack-destination", folder];
    const { stdout } = await run("npm", ["pack", ...flags], { cwd: PACKAGE });
    const [tarball] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
    if (!tarball) throw new Error("npm pack made no package");
    await writeFile(join(folder, "package.json"), '{"private":true,"type":"module"}');
    // Offline, because the package must need no other.
    await run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball.filename], {
      cwd: folder,
    });
    await cp(join(here, "apps"), folder, { recursive: true });
    return new Reader(
      folder,
      tarball.files.map(({ path }) => path),
    );
  }

  /** Runs a file of the project with Node, and gives what it printed. */
  async node(file: string): Promise<string> {
    const { stdout } = await run(process.execPath, [join(this.folder, file)]);
    return stdout.trim();
  }

  /** Puts packages of this repository beside the installed one. */
  async add(...names: string[]): Promise<void> {
    for (const name of names) {
      const target = join(this.folder, "node_modules", name);
      await mkdir(dirname(target), { recursive: true });
      await symlink(dirname(require.resolve(`${name}/package.json`)), target);
    }
  }

  /** Checks a file with the TypeScript compiler; gives its complaints, "" when there are none. */
  async typecheck(file: string, ...flags: string[]): Promise<string> {
    const compiler = require.resolve("typescript/bin/tsc");
    const strict = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022"];
    const args = [compiler, ...strict, ...flags, file];
    return run(process.execPath, args, { cwd: this.folder }).then(
      ({ stdout }) => stdout,
      ({ stdout }: { stdout: string }) => stdout || "the compiler did not run",
    );
  }

  stop(): Promise<void> {
    return rm(this.folder, { recursive: true });
  }
}
