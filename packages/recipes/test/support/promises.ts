/** What tests of Promise APIs start with. */
import { PromiseClient } from "@effect-zookeeper/client"
import { fresh } from "@effect-zookeeper/test-kit/TestServer"

export { rejection } from "@effect-zookeeper/test-kit/Expectations"

/** A client under a fresh chroot that exists. */
export const connectFresh = async (name: string): Promise<PromiseClient.PromiseClient> => {
  const { chroot, connectString } = fresh(name)
  await using root = await PromiseClient.connect(connectString.slice(0, -chroot.length))
  await root.create(chroot)
  return PromiseClient.connect(connectString)
}
