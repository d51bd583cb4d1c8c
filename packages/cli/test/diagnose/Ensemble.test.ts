/** The diagnosing commands on real ensembles whose members are well, down, behind, and cut off. */
import * as Diagnosis from "@effect-zookeeper/cli/Diagnosis"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { eventually } from "@effect-zookeeper/test-kit/Expectations"
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { run } from "../support/zk.ts"

const statusOf = (servers: string, args: ReadonlyArray<string> = []) =>
  Effect.map(run(["status", "-s", servers, "--json", ...args]), ({ err, out }) => {
    assert.strictEqual(err, "")
    return Schema.decodeUnknownSync(Diagnosis.Status)(JSON.parse(out)).members
  })

const findings = (servers: string) =>
  Effect.map(run(["doctor", "-s", servers, "--json", "--fail-on", "never"]), ({ out }) =>
    Schema.decodeUnknownSync(Schema.Array(Diagnosis.Finding))(JSON.parse(out))
  )

const clientOf = (servers: string) =>
  Effect.map(Layer.build(ZooKeeper.layer({ servers })), Context.get(ZooKeeper.ZooKeeper))

interface Dump {
  readonly answer: {
    readonly sessions: ReadonlyArray<string>
    readonly ephemerals: ReadonlyArray<{ readonly paths: ReadonlyArray<string> }>
  }
}

describe("an ensemble", () => {
  it.live(
    "is diagnosed while all its members are well, and while one is down",
    () =>
      Effect.gen(function* () {
        const ensemble = yield* ZooKeeperEnsemble.make({ startTimeout: "90 seconds" })
        const { connectString } = ensemble
        // Nothing is written yet, and only the leader is in the epoch of its election.
        const elected = yield* statusOf(connectString)
        assert.deepStrictEqual(
          elected.map(({ lag }) => lag),
          [0, 0, 0]
        )
        const zk = yield* clientOf(connectString)
        yield* zk.create("/e", { mode: "ephemeral" })
        yield* zk.sync("/")

        const all = yield* eventually(statusOf(connectString), (members) => members.every(({ lag }) => lag === 0))
        assert.deepStrictEqual(all.map(({ mode }) => mode).toSorted(), ["follower", "follower", "leader"])
        assert.deepInclude(
          all.find(({ mode }) => mode === "leader"),
          { syncedFollowers: 2, learners: 2, ephemeralCount: 1 }
        )

        // One member is enough to find the others.
        const [first] = ensemble.servers
        const found = yield* statusOf(first!.connectString, ["--discover"])
        assert.sameMembers(
          found.map(({ server }) => server),
          ensemble.servers.map((server) => server.connectString)
        )

        const one = yield* run(["status", "-s", first!.connectString])
        assert.strictEqual(one.err, "this is one member of an ensemble: --discover asks the others too\n")
        assert.strictEqual((yield* run(["status", "-s", connectString])).err, "")
        assert.include(
          (yield* findings(first!.connectString)).map(({ message }) => message),
          "the ensemble has 3 members, and 1 of them was asked"
        )

        const well = yield* run(["health", "-s", connectString, "--json"])
        assert.strictEqual(well.code, 0, well.err)
        const health = Schema.decodeUnknownSync(Diagnosis.Health)(JSON.parse(well.out))
        assert.strictEqual(health.members.filter(({ leader }) => leader).length, 1)
        for (const member of health.members) assert.isAbove(member.watch ?? 0, 0)
        assert.strictEqual((yield* run(["health", "-s", connectString, "--expect", "leader"])).code, 0)
        assert.strictEqual((yield* run(["health", "-s", connectString, "--expect", "leader", "--need", "all"])).code, 1)

        const session = zk.session.id
        const dump = Effect.map(run(["4lw", "dump", "-s", connectString, "--json"]), ({ out }): ReadonlyArray<Dump> =>
          JSON.parse(out)
        )
        // A follower may hear a moment later that the znode of a canary is deleted.
        const dumps = yield* eventually(dump, (found) => found.every(({ answer }) => answer.ephemerals.length === 1))
        for (const { answer } of dumps) {
          assert.include(answer.sessions, `0x${BigInt.asUintN(64, session).toString(16)}`)
          assert.deepStrictEqual(
            answer.ephemerals.map(({ paths }) => paths),
            [["/e"]]
          )
        }

        const checks = (yield* findings(connectString)).map(({ check }) => check)
        for (const check of [
          "presence",
          "leader",
          "lag",
          "versions",
          "membership",
          "settings-differ",
          "words",
          "clock"
        ]) {
          assert.notInclude(checks, check)
        }
        // The tests' servers keep their data in a temporary folder.
        assert.include(checks, "data-folder")
        assert.notInclude(checks, "orphan-ephemerals")

        const leader = yield* ensemble.leader
        const follower = ensemble.servers.find((server) => server !== leader)!
        yield* follower.kill
        const down = follower.connectString
        const left = yield* eventually(statusOf(connectString), (members) =>
          members.some(({ syncedFollowers }) => syncedFollowers === 1)
        )
        assert.deepInclude(
          left.find(({ server }) => server === down),
          { state: "unreachable" }
        )
        const sick = yield* run(["health", "-s", connectString])
        assert.strictEqual(sick.code, 1)
        assert.match(sick.err, /^zk: expected 3 of 3 members to be ready, found 2: 127\.0\.0\.1:\d+: could not connect/)
        assert.strictEqual((yield* run(["health", "-s", connectString, "--need", "majority"])).code, 0)
        const worse = (yield* findings(connectString)).filter(({ severity }) => severity === "error")
        assert.deepInclude(
          worse.map(({ check, where }) => ({ check, where })),
          { check: "presence", where: down }
        )
        assert.deepInclude(
          worse.map(({ message }) => message),
          "1 of 2 followers is in step, so that one more loss stops the ensemble"
        )
      }).pipe(Effect.scoped),
    120_000
  )

  it.live.skipIf(process.env["ZK_LONG"] !== "1")(
    "has a member that is behind, and then serves reads alone, when that is cut off (in test:long only)",
    () =>
      Effect.gen(function* () {
        // A follower that hears nothing believes its leader for syncLimit ticks: ten seconds here.
        const ensemble = yield* ZooKeeperEnsemble.make({ links: true, tickTime: 1000 })
        const { connectString } = ensemble
        const leader = yield* ensemble.leader
        const member = ensemble.servers.find((server) => server !== leader)!
        const zk = yield* clientOf(leader.connectString)
        yield* zk.create("/behind")
        yield* ensemble.isolate(member)
        yield* Effect.forEach(Array.from({ length: 1200 }).keys(), (index) => zk.create(`/behind/${index}`), {
          concurrency: "unbounded",
          discard: true
        })
        const behind = (yield* statusOf(connectString)).find(({ server }) => server === member.connectString)
        assert.deepInclude(behind, { state: "serving", mode: "follower" })
        assert.isAtLeast(behind?.lag ?? 0, 1000)
        const lag = (yield* findings(connectString)).find(({ check }) => check === "lag")
        assert.strictEqual(lag?.where, member.connectString)

        yield* member.awaitMode("read-only")
        const readOnly = yield* run(["health", "-s", member.connectString, "--expect", "read-only"])
        assert.strictEqual(readOnly.code, 0, readOnly.err)
        assert.include(readOnly.out, "read-only")
        const ready = yield* run(["health", "-s", member.connectString])
        assert.strictEqual(ready.code, 1)
        assert.include(ready.err, "without a quorum")
        assert.strictEqual((yield* run(["health", "-s", connectString, "--need", "majority"])).code, 0)
      }).pipe(Effect.scoped),
    120_000
  )
})
