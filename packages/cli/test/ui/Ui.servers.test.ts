/** `zk ui` on servers that tell little, that are silent, or that the connect string does not name. */
import { EmbeddedServer } from "@effect-zookeeper/server"
import { failure } from "@effect-zookeeper/test-kit/Expectations"
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { itLive, testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { startUi } from "../support/page.ts"
import { run as runAnywhere } from "../support/zk.ts"

const startOn = (servers: string) =>
  startUi({ run: (args, options) => runAnywhere(args, { ...options, env: { ZK_SERVERS: servers } }) })

type Opened = Effect.Success<ReturnType<typeof startOn>>

/** The first sample with so many members. */
const sampleOf = ({ cluster, page }: Opened, members: number) =>
  page.ensemble({ cluster }).pipe(
    Stream.filter((event) => event._tag === "sample"),
    Stream.filter((sample) => sample.members.length === members),
    Stream.runHead,
    Effect.flatMap(Effect.fromOption)
  )

describe("zk ui", () => {
  itLive("says that servers with default settings tell no sessions, and finds nothing wrong with them", function* () {
    // The tests need conf to see that the server is theirs.
    const { connectString } = yield* ZooKeeperServer.make({ config: ["4lw.commands.whitelist=srvr, conf"] })
    const opened = yield* startOn(connectString)
    const { cluster, page } = opened
    const refused = yield* failure(page.sessions({ cluster, filter: "", limit: 1000 }), "Refused")
    assert.include(refused.message, "4lw.commands.whitelist")
    const detail = yield* failure(page.session({ cluster, session: 1n }), "Refused")
    assert.include(detail.message, "4lw.commands.whitelist")
    const watches = yield* failure(page.watches({ cluster, session: 1n }), "Refused")
    assert.include(watches.message, "4lw.commands.whitelist")
    const [member] = (yield* sampleOf(opened, 1)).members
    assert(member?.state === "serving")
    assert.isUndefined(member.problem)
    assert.include(member.incomplete, "mntr")
  })
})

describe("zk ui with one of several members", () => {
  itLive("shows the others, which the configuration names, with their roles", { timeout: 120_000 }, function* () {
    const { servers } = yield* ZooKeeperEnsemble.make({ startTimeout: "90 seconds" })
    const names = servers.map(({ connectString }) => connectString)
    const opened = yield* startOn(names[0] ?? "")
    const { members, voters } = yield* sampleOf(opened, 3)
    assert.deepStrictEqual(
      members.map(({ role, server, state }) => [server, role, state]),
      names.map((server) => [server, "participant", "serving"])
    )
    assert.strictEqual(voters, 3)
    const { cluster, page } = opened
    assert.include(yield* page.fourLetterWord({ cluster, server: names[2] ?? "", word: "srvr" }), "Mode:")
  })
})

const embedded = testOn(it.live, EmbeddedServer.layer({ members: 3 }), EmbeddedServer.EmbeddedServer)

describe("zk ui with a member that is down", () => {
  embedded("names a server that does not tell its sessions, beside those of the others", function* ({ connectString }) {
    const { cluster, page } = yield* startOn(`${connectString},127.0.0.1:1`)
    yield* Stream.runHead(page.directory({ cluster, path: "/", limit: 1 }))
    const { problems, sessions } = yield* page.sessions({ cluster, filter: "", limit: 1000 })
    assert.lengthOf(sessions, 1)
    assert.lengthOf(problems, 1)
    assert.include(problems[0], "127.0.0.1:1")
  })
})
