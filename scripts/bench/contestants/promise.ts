/**
 * Ours, by its Promise facade: so many async loops as requests are to be in flight.
 */
import { Op, PromiseClient } from "@effect-zookeeper/client"
import { type Connect, dataSize, maxInFlight, pathsOf, sessionTimeout, type Step } from "../contestant.ts"

const data = new Uint8Array(dataSize)

type Ask = (index: number) => Promise<unknown>

export const connect: Connect = async (servers) => {
  const zk = await PromiseClient.connect(servers, { sessionTimeout, maxInFlight })
  const changed: Array<() => Promise<unknown>> = []
  return {
    prepare: (step) => {
      const ask = asking(zk, step, changed)
      const total = step.op === "transaction" ? Math.ceil(step.count / step.size) : step.count
      return async (latencies) => {
        let next = 0
        const worker = async (): Promise<void> => {
          while (next < total) {
            const index = next++
            const begun = latencies.begin(index)
            await ask(index)
            latencies.end(begun)
          }
        }
        await Promise.all(Array.from({ length: Math.min(step.inFlight, total) }, worker))
      }
    },
    allFired: async () => {
      await Promise.all(changed.splice(0).map((event) => event()))
    },
    getOnce: async (path) => {
      await zk.get(path)
    },
    close: () => zk.close()
  }
}

const asking = (zk: PromiseClient.PromiseClient, step: Step, changed: Array<() => Promise<unknown>>): Ask => {
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
      return async (index) => {
        const watched = await zk.getAndWatch(paths[index]!)
        changed.push(watched.changed)
      }
    }
  }
}
