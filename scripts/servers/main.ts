/**
 * `npx -y pnpm@12 test:servers`: the suites that need a real server, on each release of ZooKeeper that Debian has.
 *
 * Each release comes out of the packages of its suite, into `node_modules/.cache/servers`; nothing is installed. A run of all
 * suites writes its rows into the documentation. A release that cannot be had, or is another than was asked for, has failed.
 */
import { reportedRelease } from "@effect-zookeeper/test-kit/Release"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { runCommand, text, type Values } from "../runCommand.ts"
import { chosen, fail, run as runProgram } from "../steps.ts"
import { fetchRelease } from "./fetchRelease.ts"
import { newest, type Release, releases } from "./releases.ts"
import { failed, runSuite, type Suite, type SuiteResult, suites } from "./suites.ts"
import { formatRow, isGreen, reasonOf, type Row, writeRows } from "./table.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const cache = `${root}node_modules/.cache/servers`
const page = `${root}packages/docs/reference/servers.md`
const versions = releases.map(({ version }) => version)

const flags = {
  server: text("server", "versions", `Some of ${versions.join(",")}`, versions.join(",")),
  suite: text("suite", "names", "Some of the suites", suites.map(({ name }) => name).join(","))
}

const main = Effect.fnUntraced(function* (config: Values<typeof flags>) {
  const wanted = yield* chosen("--server", config.server, releases, ({ version }) => version)
  const wantedSuites = yield* chosen("--suite", config.suite, suites, ({ name }) => name)
  const rows: Array<Row> = []
  for (const release of wanted) {
    const row = yield* runOn(release, wantedSuites)
    rows.push(row)
    yield* Console.log(formatRow(row))
  }
  if (wantedSuites.length === suites.length) {
    writeRows(page, rows, versions)
    yield* runProgram(process.execPath, ["node_modules/oxfmt/bin/oxfmt", page], root, "correct the page by hand")
    yield* Console.log(`The table is in ${page}.`)
  }
  const red = rows.filter((row) => !isGreen(row)).map(({ version }) => version)
  if (red.length > 0) return yield* fail(`not green: ${red.join(", ")}`, "the lines above name each failure")
})

const runOn = Effect.fnUntraced(function* (release: Release, wanted: ReadonlyArray<Suite>): Effect.fn.Return<Row> {
  const { version } = release
  const results = new Map<string, SuiteResult>()
  const had = yield* Effect.result(start(release))
  if (had._tag === "Failure") {
    yield* Console.log(`${version}: could not be had: ${had.failure.message}`)
    return { version, server: { missing: reasonOf(had.failure.message) }, results }
  }
  const { home, line } = had.success
  yield* Console.log(`${version}: the server reports "${line}"`)
  for (const suite of wanted) {
    if (suite.isUpgrade === true && release === newest) continue
    const [took, result] = yield* Effect.timed(
      suite.isUpgrade === true ? upgradeFrom(suite, home) : runSuite(suite, { home })
    )
    results.set(suite.name, result)
    const red = result.failures.length === 0 ? "" : `, ${result.failures.length} failed`
    yield* Console.log(
      `  ${suite.name}: ${result.passed} passed (${result.refused} refused as typed)${red} (${Duration.toSeconds(took).toFixed(0)} s)`
    )
    for (const failure of result.failures) yield* Console.log(`    ✗ ${failure}`)
  }
  return { version, server: { reported: version }, results }
})

/** An upgrade needs both releases: that the newest could not be had is a failure of the suite. */
const upgradeFrom = (suite: Suite, home: string) =>
  Effect.matchEffect(fetchRelease(newest, cache), {
    onFailure: ({ message }) => Effect.succeed(failed(`${newest.version} could not be had: ${reasonOf(message)}`)),
    onSuccess: (to) => runSuite(suite, { home, newest: to })
  })

/** Fetches a release, and has the server itself say which one it is. */
const start = Effect.fnUntraced(function* (release: Release) {
  const home = yield* fetchRelease(release, cache)
  process.env["ZOOKEEPER_HOME"] = home
  const srvr = yield* Effect.scoped(Effect.flatMap(ZooKeeperServer.make(), (server) => server.fourLetterWord("srvr")))
  const [line = ""] = srvr.split("\n")
  return reportedRelease(srvr) === release.version
    ? { home, line }
    : yield* fail(`${release.version} was asked for, and the server reports "${line}"`, `delete ${home}`)
})

runCommand(
  "test:servers",
  "The suites that need a real server, on each release of ZooKeeper that Debian has",
  flags,
  main
)
