/** One suite, three servers: what holds for a real ZooKeeper holds for the embedded one, through either transport. */
import { conformance } from "../../src/conformance/suite.ts"
import * as TestServer from "../../src/TestServer.ts"
import { embeddedMemory, embeddedTcp, real } from "../../src/conformance/targets.ts"

conformance("a real ZooKeeper", TestServer.release(), real)
conformance("the embedded server over TCP", "3.8.0", embeddedTcp)
conformance("the embedded server in memory", "3.8.0", embeddedMemory)
