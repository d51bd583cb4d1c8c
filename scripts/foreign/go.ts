/** The tests of go-zookeeper, which Debian's package of its source has. They start servers by `java -jar`. */
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { makeFolder, unpackPackages } from "../servers/debianPackages.ts"
import { capture, fail, type StepFailed } from "../steps.ts"
import type { SuiteResult } from "./results.ts"

const source = "src/github.com/samuel/go-zookeeper"

const Line = Schema.fromJsonString(Schema.Struct({ Action: Schema.String, Test: Schema.optionalKey(Schema.String) }))

export const runGo = Effect.fnUntraced(function* (options: {
  readonly cache: string
  readonly java: string
  readonly only: string
}): Effect.fn.Return<SuiteResult, StepFailed, Scope.Scope> {
  const home = yield* makeFolder(Path.join(options.cache, "go"), (draft) =>
    unpackPackages("bookworm", ["golang-github-samuel-go-zookeeper-dev"], draft)
  )
  const work = yield* TemporaryFolder.make("go-")
  Fs.cpSync(Path.join(home, "usr/share/gocode", source), Path.join(work, source), { recursive: true })
  // The tests want the name of a jar, which our command does not look at.
  const jars = Path.join(work, "zookeeper/contrib/fatjar")
  Fs.mkdirSync(jars, { recursive: true })
  Fs.writeFileSync(Path.join(jars, "zookeeper-0-fatjar.jar"), "")
  const only = options.only === "" ? [] : ["-run", options.only]
  const { output, printed } = yield* Effect.catchDefect(
    capture("go", ["test", "-json", "-timeout", "20m", ...only, "./zk"], Path.join(work, source), {
      GO111MODULE: "off",
      GOPATH: work,
      GOCACHE: Path.join(work, "cache"),
      GOFLAGS: "",
      ZOOKEEPER_PATH: Path.join(work, "zookeeper"),
      PATH: `${options.java}:${process.env["PATH"] ?? ""}`
    }),
    (error) => fail(`go cannot be run: ${String(error)}`, "install Debian's package golang-go")
  )
  const lines = output.split("\n").flatMap((line) => Option.toArray(Schema.decodeUnknownOption(Line)(line)))
  const named = (action: string) => lines.flatMap(({ Action, Test }) => (Action === action && Test ? [Test] : []))
  const result = { passed: named("pass").length, skipped: named("skip").length, failed: named("fail") }
  return result.passed + result.failed.length === 0
    ? yield* fail(`go-zookeeper's tests did not run:\n${printed.slice(-2000)}`)
    : result
})
