/** The Promise form of service discovery: instances keep their payload as it is, whatever it is. */
import { InvalidArgument } from "@effect-zookeeper/client"
import { assert } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { recipes } from "../../src/Promise.ts"
import { itConnected } from "../support/promises.ts"

itConnected("instances are registered, picked, watched and released", async (zk) => {
  await zk.ensurePath("/services")
  const schema = Schema.Struct({ zone: Schema.Option(Schema.String) })
  const discovery = recipes(zk).serviceDiscovery("/services", { schema })
  assert.deepStrictEqual(await discovery.services(), [])
  const mail = await discovery.register({ name: "mail", id: "a", port: 25, payload: { zone: Option.some("x") } })
  const provider = await discovery.provider("mail", { strategy: "sticky", downInstances: { threshold: 1 } })
  const picked = await provider.pick()
  // An Option of the application is not unwrapped.
  assert.deepStrictEqual(picked?.payload, { zone: Option.some("x") })
  assert.strictEqual(picked?.port, 25)
  await mail.update({ port: 26 })
  assert.strictEqual(mail.instance.port, 26)
  const seen: Array<ReadonlyArray<number | undefined>> = []
  for await (const instances of discovery.watch("mail")) {
    seen.push(instances.map(({ port }) => port))
    if (seen.length === 1) await mail.update({ port: 27 })
    else break
  }
  assert.deepStrictEqual(seen, [[26], [27]])
  if (picked !== undefined) await provider.noteError(picked)
  assert.isUndefined(await provider.pick())
  await mail.release()
  assert.deepStrictEqual(await discovery.instances("mail"), [])
  await provider.release()
  assert.throws(() => recipes(zk).serviceDiscovery("no/path", { schema }), InvalidArgument)
})
