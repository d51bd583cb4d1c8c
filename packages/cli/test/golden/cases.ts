/** What each command is given for its golden output: a success, a refusal, and JSON. */
import type { RunOptions } from "../support/zk.ts"

/** What differs from run to run beside times, zxids and sessions. */
export interface Masks {
  /** Numbers, such as latencies, are shown as `#`. */
  readonly hasNumbers?: boolean
  /** Ages, such as `2s`, are shown as `AGE`. */
  readonly hasAges?: boolean
}

export interface Case extends Masks {
  readonly args: ReadonlyArray<string>
  readonly options?: RunOptions
  /** A sequential znode that another client creates once something was printed. */
  readonly arrives?: string
  /** It starts processes, which takes a second, or waits: it runs in test:long only. */
  readonly isSlow?: boolean
  /** The answer has words that servers choose: it is compared on the embedded server alone. */
  readonly isServersOwn?: boolean
}

/** Commands that have no such output, and the tests that show what they do instead. */
export const elsewhere: Readonly<Record<string, { readonly success?: string; readonly json?: string }>> = {
  mirror: {
    success: "it runs until it is stopped: Backup.test.ts",
    json: "it runs until it is stopped: Backup.test.ts"
  },
  reconfig: { success: "it needs an ensemble: Admin.test.ts", json: "it needs an ensemble: Admin.test.ts" },
  lock: { json: "the output is that of its command" },
  semaphore: { json: "the output is that of its command" },
  elect: { json: "the output is that of its command" },
  exporter: {
    success: "it serves until it is stopped: Exporter.test.ts",
    json: "it serves until it is stopped: Exporter.test.ts"
  },
  server: {
    success: "it serves until it is stopped: Server.test.ts",
    json: "it serves until it is stopped: Server.test.ts"
  },
  ui: { success: "it serves until it is stopped: Ui.test.ts", json: "it serves until it is stopped: Ui.test.ts" },
  mcp: { success: "it speaks with an assistant: Mcp.test.ts", json: "all of it is JSON" },
  top: { success: "it needs a terminal: Top.terminal.test.ts" },
  shell: { json: "its lines have the flag" },
  completions: { success: "it is long: Completions.test.ts", json: "it is a script" },
  log: { success: "it needs files of a real server: Files.test.ts", json: "the same" }
}

/** The cases in their order: those of change come last, and each works on znodes of its own. `folder` has files. */
export const casesIn = (folder: string): ReadonlyArray<Case> => {
  const file = (name: string) => `${folder}/${name}`
  const of = (...args: ReadonlyArray<string>): Case => ({ args })
  const slow = (...args: ReadonlyArray<string>): Case => ({ args, isSlow: true })
  const own = (...args: ReadonlyArray<string>): Case => ({ args, isServersOwn: true, hasNumbers: true })
  const aged = (...args: ReadonlyArray<string>): Case => ({ args, hasAges: true })
  return [
    // Look
    of("ls", "/app"),
    of("ls", "-l", "/app"),
    of("ls", "/app", "--json"),
    of("ls", "/none"),
    of("ls", "/none", "--json"),
    of("tree", "/app"),
    of("tree", "/app", "--sizes", "--json"),
    of("tree", "/none"),
    of("get", "/app/config"),
    of("get", "/app/config", "--as", "json"),
    of("get", "/app/config", "--json"),
    of("get", "/app", "--as", "json"),
    of("get", "/none"),
    of("stat", "/app"),
    of("stat", "/app", "--json"),
    of("stat", "/none"),
    of("find", "/app", "--larger", "5"),
    of("find", "/app", "--name", "c*", "--json"),
    of("find", "/app", "--larger", "much"),
    of("du", "/app"),
    of("du", "/app", "--json"),
    of("du", "/none"),
    of("acl", "/app/secret"),
    of("acl", "/app/secret", "--json"),
    of("acl", "/none"),
    of("whoami"),
    of("whoami", "--json"),
    of("whoami", "--auth-file", file("none")),
    of("ephemerals", "/app"),
    of("ephemerals", "/app", "--json"),
    of("ephemerals", "/app", "--owner", "me"),
    own("sessions"),
    own("sessions", "--ndjson"),
    of("sessions", "--session", "me"),
    of("quota", "/limited"),
    of("quota", "/limited", "--json"),
    of("quota", "/app"),
    own("config"),
    own("config", "--json"),
    of("config", "-s", "127.0.0.1:1", "--timeout", "1s"),
    // Watch
    of("watch", "/app", "--until", "exists"),
    of("watch", "/app", "--until", "exists", "--json"),
    of("watch", "/none", "--until", "exists", "--timeout", "100ms"),
    { args: ["tail", "/queue", "-n", "1", "--count", "1"], arrives: "/queue/queue-" },
    { args: ["tail", "/queue", "-n", "1", "--count", "1", "--json"], arrives: "/queue/queue-" },
    of("tail", "/none"),
    // Recipes
    aged("locks", "/locks"),
    of("locks", "/locks", "--json"),
    of("locks", "/locks", "--older", "long"),
    aged("queue", "/queue"),
    of("queue", "/queue", "--json"),
    of("queue", "/none"),
    // Diagnose
    own("4lw", "ruok"),
    own("4lw", "ruok", "--json"),
    of("4lw", "nope"),
    own("health"),
    own("health", "--json"),
    of("health", "-s", "127.0.0.1:1"),
    own("status"),
    own("status", "--json"),
    of("status", "-s", "127.0.0.1:1"),
    own("top", "-n", "1"),
    own("top", "-n", "1", "--ndjson"),
    of("top", "--interval", "soon"),
    own("doctor", "/app", "--large", "10", "--fail-on", "never"),
    own("doctor", "/app", "--large", "10", "--fail-on", "never", "--json"),
    own("doctor", "/none"),
    of("exporter", "--listen", "here"),
    // Around
    of("env", "/app/env"),
    of("env", "/app/env", "--json"),
    of("env", "/none"),
    of("template", "/app", file("t.liquid")),
    of("template", "/app", file("t.liquid"), "--json"),
    of("template", "/app/env", file("t.liquid")),
    { ...own("bench", "/bench", "--rate", "20", "--duration", "100ms"), isServersOwn: false },
    { ...own("bench", "/bench", "--rate", "20", "--duration", "100ms", "--ndjson"), isServersOwn: false },
    of("bench", "--rate", "1000000"),
    of("server", "--members", "0"),
    of("ui", "--page", "/nowhere"),
    of("mcp", "--write", "--read-only"),
    { args: ["shell", "/app"], options: { stdin: "pwd\nls\ncd config\npwd\n" } },
    { args: ["shell"], options: { stdin: "ls /none\npwd\n" } },
    of("completions", "csh"),
    // Backups and files
    of("backup", "/app", file("app.ndjson")),
    of("backup", "/app", file("again.ndjson"), "--json"),
    of("backup", "/app", file("app.ndjson")),
    of("restore", file("app.ndjson"), "/restored", "--yes"),
    of("restore", file("app.ndjson"), "/restored", "--dry-run", "--json"),
    of("restore", file("app.ndjson"), "/again"),
    of("copy", "/app/env", "/copied", "--yes"),
    // The order of children is that of the server.
    { args: ["copy", "/app/env", "/copied2", "--dry-run", "--json"], isServersOwn: true },
    of("copy", "/none", "/copied3", "--yes"),
    of("diff", "/app/env", "/copied"),
    of("diff", `backup:${file("app.ndjson")}#/app/env`, "/copied", "--json"),
    of("diff", "/app/env", "/app/config"),
    of("diff", "/app/env", "nowhere"),
    of("mirror", "/app", "/app"),
    of("snapshot", "ls", file("app.ndjson"), "/app"),
    of("snapshot", "ls", file("app.ndjson"), "/app", "--json"),
    of("snapshot", "tree", file("app.ndjson"), "/app"),
    of("snapshot", "get", file("app.ndjson"), "/app/config"),
    of("snapshot", "ls", file("none")),
    of("log", "dump", file("app.ndjson")),
    // Guard
    slow("lock", "/golden/lock", "--", "sh", "-c", "exit 0"),
    of("lock", "/golden/lock", "--read-only", "--", "true"),
    slow("semaphore", "/golden/semaphore", "-n", "2", "--", "sh", "-c", "exit 0"),
    of("semaphore", "/golden/semaphore", "--", "true"),
    slow("elect", "/golden/elect", "--", "sh", "-c", "exit 0"),
    of("elect", "/golden/elect"),
    slow("once", "/golden/once", "--", "sh", "-c", "exit 0"),
    slow("once", "/golden/once", "--json", "--", "sh", "-c", "exit 0"),
    of("once", "/golden/once", "--period", "1h", "--stamp", "x", "--", "true"),
    // Change
    of("create", "/new", "data"),
    of("create", "/new/job-", "data", "--sequential", "--json"),
    of("create", "/new"),
    of("create", "/new/a", "--container", "--sequential"),
    of("set", "/new", "more", "--version", "0"),
    of("set", "/new", "more", "--json"),
    of("set", "/new", "more", "--version", "0"),
    of("set", "/new", "more", "--read-only"),
    { args: ["edit", "/new"], options: { env: { EDITOR: "sed -i s/more/less/" } } },
    { args: ["edit", "/new", "--json"], options: { env: { EDITOR: "sed -i s/less/more/" } } },
    { args: ["edit", "/new"], options: { env: { EDITOR: "false" } } },
    of("touch", "/new"),
    of("touch", "/new", "--json"),
    of("touch", "/none/child"),
    of("sync"),
    of("sync", "--json"),
    of("sync", "none"),
    of("cp", "-r", "/new", "/copy"),
    of("cp", "-r", "/new", "/copy2", "--json"),
    of("cp", "/new", "/copy"),
    of("mv", "/copy", "/moved"),
    of("mv", "/copy2", "/moved2", "--json"),
    of("mv", "/copy2", "/moved3"),
    {
      args: ["multi", "-"],
      options: { stdin: '{"op":"create","path":"/m","data":"1"}\n{"op":"check","path":"/new"}\n' }
    },
    { args: ["multi", "-", "--json"], options: { stdin: '{"op":"set","path":"/m","data":"2","version":0}\n' } },
    { args: ["multi", "-"], options: { stdin: '{"op":"delete","path":"/m"}\n{"op":"delete","path":"/none"}\n' } },
    { args: ["multi", "-"], options: { stdin: '{"op":"destroy","path":"/m"}\n' } },
    of("acl", "set", "/new", "world:anyone:cdrwa"),
    of("acl", "set", "/new", "world:anyone:cdrwa", "--json"),
    of("acl", "set", "/new", "world:anyone:x"),
    of("quota", "set", "/new", "--count", "10"),
    of("quota", "set", "/new", "--hard-bytes", "1m", "--json"),
    of("quota", "set", "/new", "--bytes", "-1"),
    of("quota", "rm", "/new", "--count"),
    of("quota", "rm", "/new", "--json"),
    of("quota", "rm", "/new"),
    of("reconfig"),
    of("rm", "/m"),
    of("rm", "-r", "/moved", "--yes", "--json"),
    of("rm", "-r", "/new"),
    of("rm", "/new")
  ]
}
