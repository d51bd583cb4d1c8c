import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import * as Frame from "@effect-zookeeper/protocol/Frame"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Records from "@effect-zookeeper/protocol/Records"
import * as ServerError from "@effect-zookeeper/protocol/ServerError"

const header = Jute.codec(Records.RequestHeader)

// The frame of one getData request.
const writer = new JuteWriter()
Frame.append(writer, (body) => {
  header.write(body, { xid: 1, type: Operations.getData.opCode })
  Operations.getData.request.write(body, { path: "/app", watch: false })
})
const frame = writer.take()
console.log(frame.length) // 21

// What can come of it: NoNode or NoAuth, and the compiler knows.
type Failure = Operation.Error<typeof Operations.getData>

const failure: Failure | undefined = ServerError.fromCode(ErrorCode.codes.NoNode, Operations.getData.errors, {
  path: "/app",
  operation: Operations.getData.name
})
console.log(failure?.message) // getData /app: the znode does not exist
