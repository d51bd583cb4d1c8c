/** What tests of Promise APIs start with. */
import { PromiseClient } from "@effect-zookeeper/client"
import { fresh } from "@effect-zookeeper/test-kit/TestServer"

export { rejection } from "@effect-zookeeper/test-kit/Expectations"

/** The connect string of a fresh chroot that exists. */
export const freshRoot = async (name: string): Promise<string> => {
  const { chroot, connectString } = fresh(name)
  await using root = await PromiseClient.connect(connectString.slice(0, -chroot.length))
  await root.create(chroot)
  return connectString
}

/** A client under a fresh chroot that exists. */
export const connectFresh = async (name: string): Promise<PromiseClient.PromiseClient> =>
  PromiseClient.connect(await freshRoot(name))
