/**
 * Software transactions: accounts whose sum stays the same, a log with each transfer once, and two on call of whom one may
 * leave while the other stays.
 */
import * as Stm from "@effect-zookeeper/recipes/Stm"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { Environment, Recipe } from "../RecipeSimulation.ts"

const ACCOUNTS = ["/accounts/a", "/accounts/b", "/accounts/c"]
const ON_CALL = ["/accounts/x", "/accounts/y"] as const
const LOG = "/accounts/log"
const TOTAL = 300

export const stm: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  const { zk } = environment.clients[0]!
  yield* Effect.orDie(zk.create("/accounts"))
  yield* Effect.orDie(zk.create(LOG))
  for (const path of ACCOUNTS) yield* Effect.orDie(zk.create(path, { data: "100" }))
  for (const path of ON_CALL) yield* Effect.orDie(zk.create(path, { data: "1" }))
  const done = new Set<string>()
  let rounds = 0
  return {
    play: Effect.fnUntraced(function* ({ name }) {
      const { atomically } = yield* Stm.make("/recipe/stm")
      const observe = atomically((tx) =>
        Effect.gen(function* () {
          let sum = 0
          for (const path of ACCOUNTS) sum += yield* balance(tx, path)
          if (sum !== TOTAL) environment.addViolation(`${name} has seen a sum of ${sum}`)
          const [x, y] = [yield* balance(tx, ON_CALL[0]), yield* balance(tx, ON_CALL[1])]
          if (x + y === 0) environment.addViolation(`${name} has seen no one on call`)
        })
      )
      /** Writes one znode by what another has. */
      const takeTurns = Effect.gen(function* () {
        const [own, other] = (yield* Random.nextBoolean) ? ON_CALL : [ON_CALL[1], ON_CALL[0]]
        yield* atomically((tx) =>
          Effect.gen(function* () {
            const isOther = (yield* balance(tx, other)) === 1
            yield* tx.set(own, isOther && (yield* balance(tx, own)) === 1 ? "0" : "1")
          })
        )
      })
      const transfer = Effect.gen(function* () {
        const id = `${name}-${++rounds}`
        const [from = "", to = ""] = yield* Random.shuffle(ACCOUNTS)
        const amount = yield* Random.nextIntBetween(1, 9)
        const isReplaced = (yield* Random.next) < 0.3
        yield* atomically((tx) =>
          Effect.gen(function* () {
            const [x, y] = [yield* balance(tx, from), yield* balance(tx, to)]
            if (isReplaced) {
              yield* tx.delete(from)
              yield* tx.create(from, { data: String(x - amount) })
            } else yield* tx.set(from, String(x - amount))
            yield* tx.set(to, String(y + amount))
            const log = text(yield* tx.get(LOG))
            yield* tx.set(LOG, `${log}${id} `)
          })
        )
        done.add(id)
      })
      return Effect.gen(function* () {
        const rounds = [observe, transfer, transfer, takeTurns]
        yield* rounds[yield* Random.nextIntBetween(0, rounds.length - 1)]!
      })
    }),
    expected: ["OutcomeUnknown"],
    // A transaction that lost its reply learns its fate from a znode.
    survivesDeletion: false,
    judge: (_, zk) =>
      Effect.gen(function* () {
        yield* zk.sync("/")
        let sum = 0
        for (const path of ACCOUNTS) sum += Number(new TextDecoder().decode(yield* zk.getData(path)))
        if (sum !== TOTAL) environment.addViolation(`the sum of the accounts is ${sum}`)
        const log = new TextDecoder()
          .decode(yield* zk.getData(LOG))
          .split(" ")
          .filter((id) => id !== "")
        if (new Set(log).size !== log.length) environment.addViolation("a transfer was applied twice")
        for (const id of done) if (!log.includes(id)) environment.addViolation(`the transfer ${id} was not applied`)
      })
  }
})

const text = Option.match({ onNone: () => "", onSome: (data: Uint8Array) => new TextDecoder().decode(data) })

const balance = (tx: Stm.Transaction, path: string) => Effect.map(tx.get(path), (data) => Number(text(data)))
