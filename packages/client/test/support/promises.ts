/** Promise clients under chroots of their own, closed when their test ends, and what is expected of them. */
import { connectString as shared, fresh } from "@effect-zookeeper/test-kit/TestServer"
import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import * as Transport from "@effect-zookeeper/transport/Transport"
import { afterEach } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { PromiseClient } from "../../src/index.ts"

import { rejection } from "@effect-zookeeper/test-kit/Expectations"

export { rejection, text } from "@effect-zookeeper/test-kit/Expectations"

export const opened: Array<PromiseClient.PromiseClient> = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((zk) => zk.close()))
})

/** A client under a fresh chroot that exists. */
export const connect = async (name: string, options: PromiseClient.Options = {}) => {
  const { chroot, connectString } = fresh(name)
  const zk = await PromiseClient.connect(connectString, options)
  opened.push(zk)
  // No container, which a server reaps as soon as a test has emptied it.
  await zk.create("/")
  return { zk, chroot, connectString }
}

/** The rejection, which must be of this class. */
export const rejectedWith = async <E>(
  promise: Promise<unknown>,
  type: abstract new (...args: never) => E
): Promise<E> => {
  const error = await rejection(promise)
  if (!(error instanceof type)) throw new Error(`rejected with ${String(error)} instead of ${type.name}`)
  return error
}

/** Asks the server itself until what it knows of its watches by path is as wanted. */
export const awaitWatches = (wanted: (paths: string) => boolean): Promise<void> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const [host = "", port] = shared().split(":")
      const address = { host, port: Number(port) }
      const transport = yield* Transport.Transport
      while (!wanted(yield* FourLetterWord.ask(transport, address, address, "wchp"))) yield* Effect.sleep("10 millis")
    }).pipe(Effect.timeout("5 seconds"), Effect.provide(Transport.layer()))
  )

export const hasWatch = (path: string) => (paths: string) => paths.split("\n").includes(path)
export const hasNoWatch = (path: string) => (paths: string) => !hasWatch(path)(paths)
