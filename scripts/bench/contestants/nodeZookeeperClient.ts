/**
 * npm's `node-zookeeper-client`, driven by its callbacks.
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

type Callback = (error: unknown) => void

interface Transaction {
  create(path: string, data: Buffer): Transaction
  commit(callback: Callback): void
}

interface Client {
  once(event: "connected" | "disconnected", listener: () => void): void
  connect(): void
  close(): void
  getData(path: string, callback: Callback): void
  getData(path: string, watcher: () => void, callback: Callback): void
  getChildren(path: string, callback: Callback): void
  create(path: string, data: Buffer, callback: Callback): void
  setData(path: string, data: Buffer, callback: Callback): void
  remove(path: string, callback: Callback): void
  transaction(): Transaction
}

interface Module {
  createClient(servers: string, options: { readonly sessionTimeout: number; readonly spinDelay: number }): Client
}

const data = Buffer.alloc(dataSize)

export const connect: Connect = async (servers) => {
  const zk = loadPeer<Module>("node-zookeeper-client").createClient(servers, { sessionTimeout, spinDelay: 0 })
  const connected = new Promise<void>((resolve) => zk.once("connected", resolve))
  zk.connect()
  await connected
  return makeCallbackContestant({
    prepare: (step, onFired) => asking(zk, step, onFired),
    get: (path, done) => zk.getData(path, done),
    close: () =>
      new Promise((resolve) => {
        zk.once("disconnected", resolve)
        zk.close()
      })
  })
}

const asking = (zk: Client, step: Step, onFired: () => void): Ask => {
  const paths = pathsOf(step)
  switch (step.op) {
    case "get":
      return (_index, done) => zk.getData(step.path, done)
    case "children":
      return (_index, done) => zk.getChildren(step.path, done)
    case "transaction":
      return (index, done) => {
        const transaction = zk.transaction()
        for (const path of paths.slice(index * step.size, (index + 1) * step.size)) transaction.create(path, data)
        transaction.commit(done)
      }
    case "create":
      return (index, done) => zk.create(paths[index]!, data, done)
    case "set":
      return (index, done) => zk.setData(paths[index]!, data, done)
    case "delete":
      return (index, done) => zk.remove(paths[index]!, done)
    case "watch":
      return (index, done) => zk.getData(paths[index]!, onFired, done)
  }
}
