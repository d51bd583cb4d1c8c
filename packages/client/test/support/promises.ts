/** Promise clients under chroots of their own, closed when their test ends, and what is expected of them. */
import { fresh } from "@effect-zookeeper/test-kit/TestServer"
import { afterEach, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { PromiseClient } from "../../src/index.ts"

import { rejection, eventually } from "@effect-zookeeper/test-kit/Expectations"
import { fourLetterWord } from "./faults.ts"

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

/** A test with a client under a fresh chroot. */
export const itConnected = (
  title: string,
  steps: (connected: Awaited<ReturnType<typeof connect>>) => Promise<unknown>
): void =>
  it(title, async () => {
    await steps(await connect("promise"))
  })

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
  Effect.runPromise(Effect.asVoid(eventually(fourLetterWord("wchp"), wanted)))

export const hasWatch = (path: string) => (paths: string) => paths.split("\n").includes(path)
export const hasNoWatch = (path: string) => (paths: string) => !hasWatch(path)(paths)
