/**
 * Live configurations on a real ensemble whose members are killed and started again: readers move between members that lag
 * behind each other, and writes are lost with the leader. In long runs members are paused and cut off as well, and so are
 * the readers, whose sessions expire.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as Recorder from "@effect-zookeeper/test-kit/history/Recorder"
import * as Nemesis from "@effect-zookeeper/test-kit/trial/Nemesis"
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { NumberedStates } from "../support/numberedStates.ts"

const isLong = process.env["ZK_LONG"] === "1"

const readers = 4

const connectTo = (servers: string, sessionTimeout: number) => clientOf(ZooKeeper.layer({ servers, sessionTimeout }))

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

describe("live configurations on an ensemble of three", () => {
  it.live(
    "show only committed states, in their order, while members are killed",
    () =>
      Effect.gen(function* () {
        const ensemble = yield* ZooKeeperEnsemble.make({ startTimeout: "90 seconds" })
        const states = new NumberedStates(yield* connectTo(ensemble.connectString, 6000))
        yield* states.begin
        for (let n = 0; n < readers; n++) yield* states.follow(yield* connectTo(ensemble.connectString, 6000))
        const stopWriting = yield* states.writeAll(20)
        for (let round = 0; round < 2; round++) {
          yield* Effect.sleep("500 millis")
          const victim = round % 2 === 0 ? yield* ensemble.leader : (yield* ensemble.followers)[0]!
          yield* victim.kill
          yield* Effect.sleep("1 second")
          yield* victim.launch
          yield* ensemble.awaitQuorum(3)
        }
        yield* stopWriting
        yield* states.end
      }).pipe(Effect.scoped),
    160_000
  )
})

describe.runIf(isLong)(
  "live configurations in a thousand faults (in test:long only, for it takes most of an hour)",
  () => {
    it.live(
      "show only committed states, in their order, and each in 50 ms at the median",
      () =>
        Effect.gen(function* () {
          const sessionTimeout = 5000
          const seed = Number(process.env["ZK_SEED"] ?? 20261129)
          const wanted = Number(process.env["ZK_FAULTS"] ?? 1000)
          const ensemble = yield* ZooKeeperEnsemble.make({
            links: true,
            tickTime: 200,
            config: ["syncLimit=6"],
            jvmFlags: Nemesis.jvmFlags
          })
          const states = new NumberedStates(yield* connectTo(ensemble.connectString, 20_000))
          yield* states.begin
          const clients: Array<Nemesis.ReachableClient> = []
          for (let n = 0; n < readers; n++) {
            const proxies = yield* Effect.forEach(ensemble.servers, (server) => FaultProxy.make(server, { raw: true }))
            const servers = proxies.map(({ connectString }) => connectString).join(",")
            const zk = yield* connectTo(servers, sessionTimeout)
            clients.push({ proxies, zk })
            yield* states.follow(zk)
          }
          const stopWriting = yield* states.writeAll(50)
          const recorder = Recorder.make({ client: "nemesis", write: () => {} })
          const bring = Effect.fnUntraced(function* (of: "members" | "clients", count: number) {
            const faults: Array<Nemesis.Fault> = []
            for (let round = 0; faults.length < count; round++) {
              const more = yield* Nemesis.run({
                ensemble,
                clients,
                recorder,
                of,
                duration: 60_000,
                every: 2000,
                sessionTimeout
              }).pipe(Random.withSeed(`${seed} ${of} ${round}`))
              faults.push(...more)
              yield* Effect.log(`${faults.length} of ${count} faults of ${of}, ${states.delays.length} values shown`)
            }
            return faults
          })
          // Those of members take longest: an ensemble has to be whole again before the next. Those of clients come meanwhile.
          const [took, faults] = yield* Effect.all(
            [bring("members", Math.ceil((wanted * 8) / 13)), bring("clients", Math.floor((wanted * 5) / 13))],
            { concurrency: "unbounded" }
          ).pipe(
            Effect.map((both) => both.flat()),
            Effect.timed
          )
          yield* stopWriting
          const { shown, states: written } = yield* states.end
          yield* Effect.log(
            `${faults.length} faults in ${Duration.format(Duration.seconds(Math.round(Duration.toSeconds(took))))}:\n` +
              `${Nemesis.table(faults)}\n${written} states written, ${shown} values shown, ` +
              `${median(states.delays).toFixed(1)} ms at the median`
          )
          assert.isBelow(median(states.delays), 50)
        }).pipe(Effect.scoped),
      7_200_000
    )
  }
)
