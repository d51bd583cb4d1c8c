#!/usr/bin/env node
/**
 * The executable. The code that it loads is compiled once: Node keeps it for the next run, in a folder of the user, because
 * what is in it is run.
 */
import * as Module from "node:module"
import * as Path from "node:path"

const { HOME, XDG_CACHE_HOME = HOME === undefined ? undefined : Path.join(HOME, ".cache") } = process.env
// Other runtimes have no such cache.
if (XDG_CACHE_HOME !== undefined) Module.enableCompileCache?.(Path.join(XDG_CACHE_HOME, "zk"))

// After the cache is there.
await import("./run.ts")
