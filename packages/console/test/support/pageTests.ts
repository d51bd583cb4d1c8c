/** What tests of the page in a browser have in common. */
import * as Protocol from "@effect-zookeeper/console/Protocol"
import * as Effect from "effect/Effect"
import type { Locator, Page } from "playwright-core"
import { browser, hasBrowser, openPage } from "./browser.ts"
import type { OnServer } from "./console.ts"

/** A browser is slow: the short suite has the tests of what matters most. */
export const isLong = process.env["ZK_LONG"] === "1"

export const long = (title: string): string => (isLong ? title : `${title} (in test:long only)`)

/** Options of a test in a browser that runs in `test:long` alone. */
export const inLong = { skip: !hasBrowser || !isLong, timeout: 300_000 } as const

export const see = <A>(steps: () => Promise<A>): Effect.Effect<A> => Effect.promise(steps)

export const row = (page: Page, name: string): Locator => page.getByRole("treeitem", { name, exact: false })

/** The page of a console in a browser of its own, at a place such as `/main/tree/app`. */
export const openOn = Effect.fnUntraced(function* ({ token, url }: Pick<OnServer, "token" | "url">, hash = "") {
  const { complaints, page } = yield* openPage(yield* browser, `${url}#${Protocol.tokenParameter}=${token}`)
  if (hash !== "") yield* see(() => page.goto(`${url}#${hash}`))
  return { complaints, page }
})

/** Moves the focus by the Tab key, as somebody without a mouse does, until it is on a control of this name. */
export const tabTo = async (page: Page, name: string | RegExp): Promise<void> => {
  const passed: Array<string> = []
  for (let step = 0; step < 80; step++) {
    await page.keyboard.press("Tab")
    const focused = await page.evaluate<string>(nameOfFocus)
    if (typeof name === "string" ? focused === name : name.test(focused)) return
    passed.push(focused)
  }
  throw new Error(`the Tab key does not come to ${String(name)}, but to ${passed.join(" | ")}`)
}

/** The label or the text of the element that has the focus. */
export const nameOfFocus = `(() => {
  const focused = document.activeElement
  const words = (text) => (text ?? "").replaceAll(/\\s+/g, " ").trim()
  return (
    focused.getAttribute("aria-label") ??
    (focused.labels?.length > 0 ? words(focused.labels[0].textContent) : words(focused.textContent))
  )
})()`
