/**
 * A sample of what `scripts/fuzz.ts` does at length: inputs by a seed for everything that takes foreign bytes or text.
 */
import * as Simulation from "@effect-zookeeper/server/Simulation"
import { assert, describe, it } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fuzz from "../../src/fuzz/Fuzz.ts"
import * as AdversarialServer from "../../src/fuzz/AdversarialServer.ts"
import * as targets from "../../src/fuzz/targets.ts"
import { failure } from "../../src/Expectations.ts"

const isLong = process.env["ZK_LONG"] === "1"
const CASES = isLong ? 20_000 : 300
const WORLDS = isLong ? 2000 : 40

describe("any foreign input", () => {
  itLive(
    "is a value or a typed error, in time, within its bytes and in bounded memory",
    { timeout: 600_000 },
    function* () {
      const all = yield* targets.make(2)
      assert.isAbove(all.length, 100)
      for (const target of all) {
        const { accepted, cases } = yield* Fuzz.run(target, { cases: CASES, seed: 2 })
        assert.strictEqual(cases, CASES)
        // Some inputs must be accepted.
        assert.isAtLeast(accepted, CASES / 100, target.name)
      }
    }
  )

  it.live(
    "in a session costs it calls and connections, and nothing else",
    () => Effect.asVoid(Simulation.check(AdversarialServer.run, { seeds: WORLDS, maxTime: "1 hour" })),
    600_000
  )
})

describe("the engine finds", () => {
  const corpus = [Uint8Array.of(0, 0, 0, 1), Uint8Array.of(9, 9, 9, 9, 9)]
  // A value that is seen from outside has to be made.
  const made: Array<ReadonlyArray<unknown>> = []
  const broken: ReadonlyArray<readonly [what: string, target: Omit<Fuzz.Target, "name" | "corpus">, problem: RegExp]> =
    [
      [
        "what throws",
        {
          run: (input) => {
            if (input[3] === 0xff) throw new RangeError("offset is outside")
            return "accepted"
          }
        },
        /it threw RangeError: offset is outside/
      ],
      [
        "what allocates by a count that it was told",
        {
          run: (input) => {
            const count = input.length < 4 ? 0 : new DataView(input.buffer, input.byteOffset).getInt32(0)
            made.push(new Array(Math.max(0, Math.min(count, 1 << 18))))
            if (made.length > 8) made.length = 0
            return count > 0 ? "accepted" : "refused"
          },
          judges: true
        },
        /bytes for \d+ bytes/
      ],
      [
        "what takes long",
        {
          run: (input) => {
            const worked = () => {
              const { system, user } = process.cpuUsage()
              return system + user
            }
            const end = worked() + (input.length > 200 ? 80_000 : 0)
            while (worked() < end);
            return "accepted"
          }
        },
        /it took \d+ ms/
      ],
      ["what refuses the valid", { run: () => "refused" }, /a valid input was refused/],
      [
        "what does not hold",
        {
          run: (input) => {
            Fuzz.must(input.length !== 3, "three is too few")
            return "accepted"
          }
        },
        /three is too few/
      ]
    ]
  for (const [what, target, problem] of broken) {
    itLive(`${what}, and the same again by the seed`, function* () {
      const named = { ...target, name: "broken", corpus }
      const found = yield* failure(Fuzz.run(named, { cases: 20_000, seed: 3 }), "FuzzFailed")
      assert.match(found.problem, problem)
      assert.include(found.message, found.hex)
      assert.strictEqual(found.hex, Buffer.from(Fuzz.inputOf(named, found.seed).input).toString("hex"))
      yield* failure(Fuzz.replay(named, found.seed), "FuzzFailed")
    })
  }
})
