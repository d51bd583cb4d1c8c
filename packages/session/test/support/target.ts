/** The shared server, as a proxy wants it named. */
import type * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"

export const sharedTarget = (): FaultProxy.Target => {
  const [host = "", port = ""] = TestServer.connectString().split(":")
  return { host, port: Number(port) }
}
