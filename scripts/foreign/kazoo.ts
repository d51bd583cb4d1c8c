/** kazoo's own tests, which Debian's package has. They start ensembles of three by a command `java`. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { makeFolder, unpackPackages } from "../servers/debianPackages.ts"
import { capture, fail, type StepFailed } from "../steps.ts"
import type { SuiteResult } from "./results.ts"

/** kazoo itself and its tests are of the newest release; Python, and what is compiled for it, are the system's. */
const kazoo = { suite: "sid", packages: ["python3-kazoo"] }

const python = [
  "python3-openssl",
  "python3-cryptography",
  "python3-cffi-backend",
  "python3-pyjks",
  "python3-javaobj",
  "python3-pyasn1",
  "python3-pyasn1-modules",
  "python3-pycryptodome",
  "python3-objgraph",
  "python3-pytest",
  "python3-pytest-timeout",
  "python3-pluggy",
  "python3-iniconfig",
  "python3-attr",
  "python3-packaging"
]

/** `only`: a part of the names of tests. */
export const runKazoo = Effect.fnUntraced(function* (options: {
  readonly cache: string
  /** The folder of the command `java`. */
  readonly java: string
  readonly release: string
  readonly only: string
}): Effect.fn.Return<SuiteResult, StepFailed> {
  const home = yield* Effect.scoped(
    makeFolder(Path.join(options.cache, "kazoo"), (draft) =>
      Effect.gen(function* () {
        yield* unpackPackages(systemSuite(), python, draft)
        yield* unpackPackages(kazoo.suite, kazoo.packages, draft)
      })
    )
  )
  const packages = Path.join(home, "usr/lib/python3/dist-packages")
  const args = ["-m", "pytest", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", "--timeout=120"]
  const only = options.only === "" ? [] : ["-k", options.only]
  const { printed } = yield* capture("/usr/bin/python3", [...args, ...only, Path.join(packages, "kazoo/tests")], home, {
    PYTHONPATH: packages,
    PYTHONDONTWRITEBYTECODE: "1",
    PATH: `${options.java}:${process.env["PATH"] ?? ""}`,
    ZOOKEEPER_VERSION: options.release,
    ZOOKEEPER_CLASSPATH: "any"
  })
  return yield* resultOf(printed)
})

/** pytest's last line, such as `3 failed, 480 passed, 4 skipped in 301.20s`, and a line for each failure. */
const resultOf = (printed: string) => {
  const [last = ""] = /^.*\b(?:passed|failed|errors?)\b.* in \d.*$/m.exec(printed) ?? []
  const count = (word: string) => Number(new RegExp(`(\\d+) ${word}`).exec(last)?.[1] ?? 0)
  const failed = [...printed.matchAll(/^(?:FAILED|ERROR) \S*?([^/\s]+\.py::\S+)/gm)].map(([, name = ""]) => name)
  return last === ""
    ? fail(`kazoo's tests did not run:\n${printed.slice(-2000)}`)
    : Effect.succeed({ passed: count("passed"), skipped: count("skipped"), failed })
}

const systemSuite = (): string => {
  const [, name = "stable"] = /^VERSION_CODENAME=(\S+)$/m.exec(Fs.readFileSync("/etc/os-release", "utf8")) ?? []
  return name
}
