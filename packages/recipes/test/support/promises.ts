/** What tests of Promise APIs start with. */
import { PromiseClient } from "@effect-zookeeper/client"
import { it } from "@effect/vitest"
import { fresh } from "@effect-zookeeper/test-kit/TestServer"

export { rejection } from "@effect-zookeeper/test-kit/Expectations"

/** The connect string of a fresh chroot that exists. */
export const freshRoot = async (name: string): Promise<string> => {
  const { chroot, connectString } = fresh(name)
  await using root = await PromiseClient.connect(connectString.slice(0, -chroot.length))
  await root.create(chroot)
  return connectString
}

/** A test with a client under a fresh chroot, which is closed at the end. */
export const itConnected = (title: string, steps: (zk: PromiseClient.PromiseClient) => Promise<void>): void =>
  it(title, async () => {
    await using zk = await connectFresh("promise")
    await steps(zk)
  })

/** A client under a fresh chroot that exists. */
export const connectFresh = async (name: string): Promise<PromiseClient.PromiseClient> =>
  PromiseClient.connect(await freshRoot(name))
