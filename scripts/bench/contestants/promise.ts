/**
 * Our client by its Promise facade: as many async loops as requests in flight.
 */
import { PromiseClient } from "@effect-zookeeper/client"
import { type Connect, maxInFlight, requestsOf, sessionTimeout } from "../contestant.ts"
import { makeRequests } from "./requests.ts"

export const connect: Connect = async (servers) => {
  const zk = await PromiseClient.connect(servers, { sessionTimeout, maxInFlight })
  const changed: Array<() => Promise<unknown>> = []
  const watch = async (path: string) => {
    const watched = await zk.getAndWatch(path)
    changed.push(watched.changed)
  }
  return {
    prepare: (step) => {
      const ask = makeRequests<Promise<unknown>>(zk, step, watch)
      const total = requestsOf(step)
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
