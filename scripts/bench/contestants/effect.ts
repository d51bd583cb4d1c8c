/**
 * Ours, by its Effect API: so many fibers as requests are to be in flight, each asking again and again.
 */
import { Op, ZooKeeper } from "@effect-zookeeper/client"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import {
  type Connect,
  type Contestant,
  dataSize,
  maxInFlight,
  pathsOf,
  sessionTimeout,
  type Step
} from "../contestant.ts"
import type { Latencies } from "../measure.ts"

const data = new Uint8Array(dataSize)

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
  return {
    prepare: (step) => {
      const ask = asking(zk, step, changed)
      const total = step.op === "transaction" ? Math.ceil(step.count / step.size) : step.count
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

const asking = (zk: ZooKeeper.Service, step: Step, changed: Array<Effect.Effect<unknown, unknown>>): Ask => {
  switch (step.op) {
    case "get":
      return () => zk.get(step.path)
    case "children":
      return () => zk.getChildren(step.path)
    case "transaction": {
      const paths = pathsOf(step)
      return (index) =>
        zk.transaction(paths.slice(index * step.size, (index + 1) * step.size).map((path) => Op.create(path, { data })))
    }
    case "create": {
      const paths = pathsOf(step)
      return (index) => zk.create(paths[index]!, { data })
    }
    case "set": {
      const paths = pathsOf(step)
      return (index) => zk.set(paths[index]!, data)
    }
    case "delete": {
      const paths = pathsOf(step)
      return (index) => zk.delete(paths[index]!)
    }
    case "watch": {
      const paths = pathsOf(step)
      return (index) => Effect.map(zk.getAndWatch(paths[index]!), (watched) => void changed.push(watched.changed))
    }
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
