/** One suite, three servers: what holds for a real ZooKeeper holds for the embedded one, through either transport. */
import { conformance } from "../../src/conformance/suite.ts"
import { embeddedMemory, embeddedTcp, real } from "../../src/conformance/targets.ts"

conformance("a real ZooKeeper 3.8", real)
conformance("the embedded server over TCP", embeddedTcp)
conformance("the embedded server in memory", embeddedMemory)
