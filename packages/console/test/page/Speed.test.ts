/** Speed and memory of the page in a browser. The measurements need a calm machine, so they run with ZK_LONG=1 alone. */
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Page } from "playwright-core"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { makeWorld } from "../support/consoleWorld.ts"

const isLong = process.env["ZK_LONG"] === "1"
const note = isLong ? needsBrowser : " (a minute and a calm machine: needs ZK_LONG=1)"
const minutes = 300_000

const see = <A>(steps: () => Promise<A>) => Effect.promise(steps)

const opened = Effect.fnUntraced(function* (hash: string) {
  const world = yield* makeWorld({})
  const server = yield* world.serve
  const { complaints, page } = yield* openPage(yield* browser, server.link)
  yield* see(() => page.goto(`${server.url}#${hash}`))
  return { ...world, page, complaints }
})

describe.skipIf(!hasBrowser || !isLong)(`the speed of the page${note}`, () => {
  itQuiet("shows the tree within a second of its link being opened", { timeout: minutes }, function* () {
    const world = yield* makeWorld({})
    yield* Effect.forEach(names(200), (name) => world.zk.create(`/${name}`), { concurrency: 50, discard: true })
    const { link } = yield* world.serve
    const chromium = yield* browser
    const times: Array<number> = []
    // Nothing is in the cache of a context of its own. The first page also waits for the session.
    for (let round = 0; round < 5; round++) {
      times.push(
        yield* see(async () => {
          const context = await chromium.newContext()
          const page = await context.newPage()
          await page.addInitScript(firstRow)
          await page.goto(link)
          const time = await page.evaluate<number>("window.firstRow")
          await context.close()
          return time
        })
      )
    }
    const median = times.toSorted((a, b) => a - b)[2] ?? Infinity
    assert.isAtMost(median, 1_000, times.map(Math.round).join(", "))
  })

  itQuiet("browses 100,000 children of one znode without a frame over 50 ms", { timeout: minutes }, function* () {
    const { complaints, page, zk } = yield* opened("/local/tree/orders")
    yield* zk.create("/orders")
    yield* Effect.forEach(names(100_000), (name) => zk.create(`/orders/${name}`), { concurrency: 500, discard: true })
    yield* see(async () => {
      const row = page.getByRole("treeitem", { name: "orders" })
      await row.getByText("100,000").waitFor({ timeout: 60_000 })
      await row.locator(".twist").click()
      await page.getByRole("treeitem", { name: "order-000000" }).waitFor()
    })
    const tasks = yield* see(async () => {
      await page.waitForTimeout(1_000)
      await watchTasks(page)
      await page.locator(".tree .rows").hover()
      for (let step = 0; step < 60; step++) {
        await page.mouse.wheel(0, step % 2 === 0 ? 400 : 40_000)
        await page.waitForTimeout(30)
      }
      await page.keyboard.press("End")
      await page.getByRole("treeitem", { name: "order-099999" }).waitFor()
      return longTasks(page)
    })
    yield* zk.create("/orders/order-099999-a")
    yield* see(() => page.getByRole("treeitem", { name: "order-099999-a" }).waitFor())
    assert.deepStrictEqual(tasks, [])
    assert.deepStrictEqual(complaints, [])
  })

  itQuiet("shows a write of another client within 100 ms at the median", { timeout: minutes }, function* () {
    const { page, zk } = yield* opened("/local/tree")
    yield* see(() => page.getByRole("treeitem").first().waitFor())
    const times: Array<number> = []
    for (let round = 0; round < 40; round++) {
      const name = `tick-${round}`
      const shown = page.evaluate<number>(shownAt(name))
      // The browser looks before the write is made.
      yield* Effect.sleep("100 millis")
      const begin = performance.timeOrigin + performance.now()
      yield* zk.create(`/${name}`)
      times.push((yield* see(() => shown)) - begin)
    }
    const median = times.toSorted((a, b) => a - b)[times.length / 2] ?? Infinity
    assert.isAtMost(median, 100, times.map(Math.round).join(", "))
  })

  itQuiet("keeps its memory over 200 changes a second", { timeout: minutes }, function* () {
    const { page, zk } = yield* opened("/local/tree/busy")
    yield* zk.create("/busy")
    const paths = Array.from({ length: 50 }, (_, index) => `/busy/znode-${index}`)
    yield* Effect.forEach(paths, (path) => zk.create(path), { concurrency: 50 })
    yield* see(() => page.getByRole("treeitem", { name: "busy" }).locator(".twist").click())
    let round = 0
    const change = Effect.suspend(() => zk.set(paths[round++ % paths.length] ?? "/busy", String(round)))
    const churn = Effect.forEach(Array.from({ length: 20 }), () => change, { concurrency: "unbounded" })
    yield* Effect.forkScoped(Effect.repeat(churn, Schedule.spaced("100 millis")))
    yield* Effect.sleep("10 seconds")
    const before = yield* see(() => heapOf(page))
    const server = process.memoryUsage().heapUsed
    yield* Effect.sleep("60 seconds")
    const after = yield* see(() => heapOf(page))
    assert.isAbove(round, 5_000)
    assert.isAtMost(after - before, 3_000_000, `${before} became ${after} bytes in the page`)
    // The heap of the server is not collected at will: it must not grow by what was written.
    assert.isAtMost(process.memoryUsage().heapUsed - server, 100_000_000)
  })
})

const names = (count: number) => Array.from({ length: count }, (_, index) => `order-${String(index).padStart(6, "0")}`)

/** The time from the navigation to the frame that has the root with the number of its children, and rows below it. */
const firstRow = `window.firstRow = new Promise((resolve) => {
  const look = () => {
    const isCounted = document.querySelector(".tree-row .cell-children")?.textContent.includes("201") ?? false
    if (isCounted && document.querySelectorAll(".tree-name").length > 10) resolve(performance.now())
    else requestAnimationFrame(look)
  }
  look()
})`

/** Tasks of more than 50 ms hold up a frame. */
const watchTasks = (page: Page) =>
  page.evaluate(
    "window.tasks = []; new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => Math.round(duration)))).observe({ type: 'longtask' })"
  )

const longTasks = (page: Page) => page.evaluate<ReadonlyArray<number>>("window.tasks")

/** The time at which a row with the name is in a frame. */
const shownAt = (name: string): string => `new Promise((resolve) => {
  const look = () => {
    const isThere = [...document.querySelectorAll(".tree-name")].some(({ textContent }) => textContent === ${JSON.stringify(name)})
    if (isThere) resolve(performance.timeOrigin + performance.now())
    else requestAnimationFrame(look)
  }
  look()
})`

const heapOf = async (page: Page): Promise<number> => {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send("HeapProfiler.collectGarbage")
  await devtools.send("Performance.enable")
  const { metrics } = await devtools.send("Performance.getMetrics")
  return metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? 0
}
