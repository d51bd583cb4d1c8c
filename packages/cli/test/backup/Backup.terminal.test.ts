/** Backups, restores, copies and comparisons in a real terminal: how far they have come, Ctrl-C in the middle, and the end. */
import { Op, ZooKeeper } from "@effect-zookeeper/client"
import { EmbeddedServer } from "@effect-zookeeper/server"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { eventually } from "@effect-zookeeper/test-kit/Expectations"
import { type Steps, testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { run } from "../support/zk.ts"
import { options, terminal, title } from "../support/terminal.ts"

const isLong = process.env["ZK_LONG"] === "1"

/** The znodes of the tree: the children, their parent, and a queue whose next number is raised in several transactions. */
const ZNODES = 2002
const NUMBER = 3000

/** A terminal in the folder of its files, and a server with a tree that takes several round trips. */
const beside = Effect.gen(function* () {
  const opened = yield* terminal
  const server = yield* EmbeddedServer.EmbeddedServer
  const zk = yield* clientOf(ZooKeeper.layer({ servers: opened.connectString }))
  yield* zk.transaction([Op.create("/app"), Op.create("/app/queue")])
  assert.isTrue(yield* server.setSequence("/app/queue", NUMBER))
  const data = "x".repeat(3000)
  for (let from = 2; from < ZNODES; from += 100) {
    yield* zk.transaction(Array.from({ length: 100 }, (_, index) => Op.create(`/app/n${from + index}`, { data })))
  }
  yield* opened.type(`cd '${opened.folder}'`)
  return {
    ...opened,
    server,
    zk,
    /** Types a line on an empty screen; its exit code is shown at its end. */
    start: (line: string) => Effect.andThen(opened.press("C-l"), opened.type(`${line}; echo code $?`)),
    /** Presses Ctrl-C. The command leaves nothing but what it says: no progress on the screen, no session. Gives the screen. */
    interrupt: Effect.gen(function* () {
      yield* opened.press("C-c")
      const screen = yield* opened.sees(/^(\^C)?code 130$/m)
      assert.notMatch(screen, / of \d+, \d+\/s/)
      yield* eventually(server.sessions, ({ length }) => length === 1)
      yield* opened.isWhole
      return screen
    }),
    /** The files of backups. */
    files: Effect.sync(() => Fs.readdirSync(opened.folder).filter((name) => name.startsWith("app")))
  }
})

/** Each of them starts several processes, and waits for a slow server. */
const inTerminal = (text: string, test: Steps<Effect.Success<typeof beside>, EmbeddedServer.EmbeddedServer>): void =>
  testOn(it.live, EmbeddedServer.layer(), beside)(
    isLong ? title(text) : `${title(text)} (in test:long only)`,
    { ...options, skip: options.skip || !isLong, timeout: 600_000 },
    test
  )

/** The progress in a phase, with its rate and the time that is left. */
const progress = (phase: string, total: number) => new RegExp(`^${phase} \\d+ of ${total}, \\d+/s, \\d+ s left$`, "m")

describe("in a terminal", () => {
  inTerminal("zk backup shows its progress, leaves no half of a file after Ctrl-C, and goes on", function* (given) {
    const { files, interrupt, isWhole, sees, server, start } = given
    const backup = "zk backup /app app.ndjson.gz"
    yield* server.setLatency("400 millis")
    yield* start(backup)
    yield* sees(progress("reading", ZNODES))
    assert.match(
      yield* interrupt,
      /^what was read is kept in app\.ndjson\.gz\.partial; the same command goes on with it\n(\^C)?code 130$/m
    )
    assert.deepStrictEqual(yield* files, ["app.ndjson.gz.partial"])
    yield* server.setLatency("200 millis")
    yield* start(backup)
    yield* sees(progress("reading", ZNODES))
    const [, resumed] =
      /^(\d+) znodes came from the run before\n\/app at zxid .*: 2002 znodes, .* in app\.ndjson\.gz\ncode 0$/m.exec(
        yield* sees(/^code 0$/m)
      ) ?? assert.fail("it says nothing of the run before")
    assert.isTrue(Number(resumed) > 0 && Number(resumed) < ZNODES, resumed)
    assert.deepStrictEqual(yield* files, ["app.ndjson.gz"])
    yield* isWhole
  })

  inTerminal("zk restore asks, shows its progress, and says after Ctrl-C how to go on", function* (given) {
    const { connectString, folder, interrupt, sees, server, start, type, zk } = given
    const file = `${folder}/app.ndjson.gz`
    assert.strictEqual((yield* run(["-s", connectString, "backup", "/app", file])).code, 0)
    const restore = "zk restore app.ndjson.gz /copy"
    const question = /^\/copy: \d+ znodes to create, 0 to overwrite, \d+ the same, .*Go on\? \[y\/N\]/m

    yield* start(restore)
    yield* sees(question)
    assert.notInclude(yield* interrupt, "goes on with the rest")
    assert.isFalse(yield* zk.exists("/copy"))

    yield* start(restore)
    yield* sees(question)
    yield* server.setLatency("1 second")
    yield* type("y")
    yield* sees(progress("writing", ZNODES))
    assert.match(
      yield* interrupt,
      /^\d+ of the 2002 znodes were done, and maybe some more; the same command goes on with the rest$/m
    )
    yield* server.setLatency(0)
    // Each znode that is there is whole; maybe all are there.
    const diff = yield* run(["-s", connectString, "diff", `backup:${file}`, "/copy"])
    assert.match(diff.out, /^(- \/\w+\n)*$/)

    yield* start(restore)
    yield* sees(question)
    yield* server.setLatency("200 millis")
    yield* type("y")
    yield* sees(/^writing \d+ of 2002/m)
    yield* server.setLatency("700 millis")
    yield* sees(progress("counters", NUMBER))
    yield* server.setLatency(0)
    assert.match(
      yield* sees(/^code 0$/m),
      /^\d+ znodes created, 0 overwritten, \d+ the same, 1 sequence number raised\ncode 0$/m
    )
    assert.strictEqual(yield* zk.create("/copy/queue/n-", { mode: "persistentSequential" }), "/copy/queue/n-0000003000")
  })

  inTerminal("zk copy and zk diff show their progress, also while they read, and end with Ctrl-C", function* (given) {
    const { interrupt, isWhole, sees, server, start, zk } = given
    yield* server.setLatency("300 millis")
    yield* start("zk copy /app /copy --yes")
    yield* sees(progress("reading", ZNODES))
    yield* interrupt
    assert.isFalse(yield* zk.exists("/copy"))
    yield* start("zk copy /app /copy --yes")
    yield* sees(/^writing \d+ of 2002/m)
    yield* server.setLatency("1 second")
    assert.include(yield* interrupt, "the same command goes on with the rest")
    yield* server.setLatency(0)
    yield* start("zk copy /app /copy --yes")
    const done = yield* sees(/^code 0$/m)
    assert.match(done, /^\d+ znodes created, 0 overwritten, \d+ the same, 1 sequence number raised$/m)

    yield* server.setLatency("300 millis")
    yield* start("zk diff /app /copy --counters")
    yield* sees(progress("compared", 2 * ZNODES))
    yield* interrupt
    yield* server.setLatency(0)
    yield* zk.set("/copy/n7", "other")
    yield* start("zk diff /app /copy")
    const [, differences] = /echo code \$\?\n([^]*)\ncode 1$/m.exec(yield* sees(/^code 1$/m)) ?? []
    assert.strictEqual(differences, "~ /n7  (data)")
    yield* isWhole
  })
})
