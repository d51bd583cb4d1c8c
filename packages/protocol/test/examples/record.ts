import * as Jute from "@effect-zookeeper/protocol/Jute"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const Member = Schema.Struct({
  id: Jute.Long,
  host: Jute.UString,
  roles: Jute.Vector(Jute.UString),
  token: Jute.NullOr(Jute.Buffer)
})

const member = Jute.codec(Member)
const bytes = Jute.encode(member, { id: 1n, host: "alpha", roles: ["leader"], token: null })

const decoded = Jute.decode(member, bytes)
if (Result.isSuccess(decoded)) console.log(decoded.success.host) // alpha

const broken = Jute.decode(member, bytes.subarray(0, 20))
if (Result.isFailure(broken)) console.log(broken.failure.message)
// malformed bytes at offset 17, field roles: 4 bytes needed, 3 left
