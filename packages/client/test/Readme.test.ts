/** The examples of the README are files beside this one, so that they are compiled and run on a real server. */
import * as ReadmeExamples from "@effect-zookeeper/test-kit/ReadmeExamples"

const quickStart = ["/jobs/job-0000000000", "payload", "getData /nowhere: the znode does not exist"]

const examples: ReadonlyArray<ReadmeExamples.Example> = [
  ["effect", () => import("./examples/effect.ts"), quickStart],
  ["promise", () => import("./examples/promise.ts"), quickStart],
  [
    "transaction",
    () => import("./examples/transaction.ts"),
    ["/account", 1, "operation 1: check /owner: the znode does not exist"]
  ],
  ["promiseRead", () => import("./examples/promiseRead.ts"), ["dark", "NoNode"]],
  ["znode", () => import("./examples/znode.ts"), [3, ["mail"]]],
  ["watch", () => import("./examples/watch.ts"), ["nothing yet", "dark"]]
]

ReadmeExamples.define(new URL("../README.md", import.meta.url), new URL("examples/", import.meta.url), examples)
