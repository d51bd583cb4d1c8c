/**
 * Our client by its Effect API: as many fibers as requests in flight, each with one request after another.
 */
import { ZooKeeper } from "@effect-zookeeper/client"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { type Connect, type Contestant, maxInFlight, requestsOf, sessionTimeout } from "../contestant.ts"
import { makeRequests } from "./requests.ts"
import type { Latencies } from "../measure.ts"

type Ask = (index: number) => Effect.Effect<unknown, unknown>

export const connect: Connect = (servers) => connectIn(servers, (effect) => effect)

/** The same, with all work done within `around`: a span, for one. */
export const connectIn = async (
  servers: string,
  around: (work: Effect.Effect<void, unknown>) => Effect.Effect<void, unknown>
): Promise<Contestant> => {
  const scope = Scope.makeUnsafe()
  const layer = ZooKeeper.layer({ servers, sessionTimeout, maxInFlight })
  const context = await Effect.runPromise(Layer.buildWithScope(layer, scope))
  const zk = Context.get(context, ZooKeeper.ZooKeeper)
  const changed: Array<Effect.Effect<unknown, unknown>> = []
  const watch = (path: string) => Effect.map(zk.getAndWatch(path), (watched) => void changed.push(watched.changed))
  return {
    prepare: (step) => {
      const ask = makeRequests<Effect.Effect<unknown, unknown>>(zk, step, watch)
      const total = requestsOf(step)
      return (latencies) => Effect.runPromise(around(workers(ask, total, step.inFlight, latencies)))
    },
    allFired: () => {
      const waiting = changed.splice(0)
      return Effect.runPromise(Effect.forEach(waiting, (event) => event, { concurrency: "unbounded", discard: true }))
    },
    getOnce: (path) => Effect.runPromise(Effect.asVoid(zk.get(path))),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

/** `inFlight` fibers that share the work. */
const workers = (ask: Ask, total: number, inFlight: number, latencies: Latencies): Effect.Effect<void, unknown> => {
  let next = 0
  const worker = Effect.suspend(() => {
    let begun = 0
    return Effect.whileLoop({
      while: () => next < total,
      body: () => {
        const index = next++
        begun = latencies.begin(index)
        return ask(index)
      },
      step: () => latencies.end(begun)
    })
  })
  return Effect.all(
    Array.from({ length: Math.min(inFlight, total) }, () => worker),
    { concurrency: "unbounded", discard: true }
  )
}
