/** What tests of Promise APIs start with. */
import { PromiseClient } from "@effect-zookeeper/client"
import { fresh } from "@effect-zookeeper/test-kit/TestServer"

/** A client under a fresh chroot that exists. */
export const connectFresh = async (name: string): Promise<PromiseClient.PromiseClient> => {
  const { chroot, connectString } = fresh(name)
  await using root = await PromiseClient.connect(connectString.slice(0, -chroot.length))
  await root.create(chroot)
  return PromiseClient.connect(connectString)
}

/** The rejection of a Promise, which must reject. */
export const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => ({ error })
  )
  if (outcome === undefined) throw new Error("fulfilled, where a rejection was expected")
  return outcome.error
}
