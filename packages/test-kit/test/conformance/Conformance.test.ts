/**
 * One suite for all servers: what holds for a real ZooKeeper holds for the embedded one, through either transport and as each of
 * its releases.
 */
import { conformance } from "../../src/conformance/suite.ts"
import * as TestServer from "../../src/TestServer.ts"
import { embeddedMemory, embeddedMemoryOf39, embeddedTcp, real } from "../../src/conformance/targets.ts"

conformance("a real ZooKeeper", TestServer.release(), real)
conformance("the embedded server over TCP", "3.8.0", embeddedTcp)
conformance("the embedded server in memory", "3.8.0", embeddedMemory)
conformance("the embedded server as 3.9.6", "3.9.6", embeddedMemoryOf39)
