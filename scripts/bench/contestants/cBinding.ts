/**
 * npm's `zookeeper`, the binding of the C client, driven by its callbacks. It has no transactions.
 */
import {
  type Ask,
  type Connect,
  dataSize,
  makeCallbackContestant,
  pathsOf,
  sessionTimeout,
  type Step
} from "../contestant.ts"
import { loadPeer } from "../peer.ts"

type Callback = (code: number, error: string) => void

interface Client {
  connect(options: Record<string, unknown>, callback: (error: unknown) => void): void
  once(event: "close", listener: () => void): void
  close(): void
  a_get(path: string, watch: boolean, callback: Callback): void
  aw_get(path: string, watcher: () => void, callback: Callback): void
  a_get_children(path: string, watch: boolean, callback: Callback): void
  a_create(path: string, data: Buffer, flags: number, callback: Callback): void
  a_set(path: string, data: Buffer, version: number, callback: Callback): void
  a_delete_(path: string, version: number, callback: Callback): void
}

type Module = { readonly default?: unknown } & (new () => Client)

const data = Buffer.alloc(dataSize)

export const connect: Connect = async (servers) => {
  const ZooKeeper = loadPeer<Module>("zookeeper")
  const zk = new ZooKeeper()
  await new Promise<void>((resolve, reject) =>
    zk.connect({ connect: servers, timeout: sessionTimeout, debug_level: 1, host_order_deterministic: true }, (error) =>
      error ? reject(new Error(String(error))) : resolve()
    )
  )
  return makeCallbackContestant({
    prepare: (step, onFired) => asking(zk, step, onFired),
    get: (path, done) => zk.a_get(path, false, told(done)),
    close: () =>
      new Promise((resolve) => {
        zk.once("close", resolve)
        zk.close()
      })
  })
}

const told =
  (done: (error?: unknown) => void): Callback =>
  (code, error) =>
    code === 0 ? done() : done(new Error(`${error} (${code})`))

const asking = (zk: Client, step: Step, onFired: () => void): Ask => {
  const paths = pathsOf(step)
  switch (step.op) {
    case "get":
      return (_index, done) => zk.a_get(step.path, false, told(done))
    case "children":
      return (_index, done) => zk.a_get_children(step.path, false, told(done))
    case "transaction":
      throw new Error("the C binding has no transactions")
    case "create":
      return (index, done) => zk.a_create(paths[index]!, data, 0, told(done))
    case "set":
      return (index, done) => zk.a_set(paths[index]!, data, -1, told(done))
    case "delete":
      return (index, done) => zk.a_delete_(paths[index]!, -1, told(done))
    case "watch":
      return (index, done) => zk.aw_get(paths[index]!, onFired, told(done))
  }
}
