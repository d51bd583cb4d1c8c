import { PromiseClient } from "@effect-zookeeper/client"
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { afterAll, beforeAll, expect, test } from "vitest"

const runtime = ManagedRuntime.make(EmbeddedServer.layer())
let server: EmbeddedServer.EmbeddedServer["Service"]

beforeAll(async () => {
  server = await runtime.runPromise(EmbeddedServer.EmbeddedServer)
})
afterAll(() => runtime.dispose())

test("a member is gone when its session has expired", async () => {
  await using observer = await PromiseClient.connect(server.connectString)
  await using member = await PromiseClient.connect(server.connectString)
  await observer.create("/members")
  await member.create("/members/ann", { mode: "ephemeral" })
  expect(await observer.getChildren("/members")).toEqual(["ann"])

  await runtime.runPromise(server.expireSession(member.session.id))
  expect(await observer.getChildren("/members")).toEqual([])
})
