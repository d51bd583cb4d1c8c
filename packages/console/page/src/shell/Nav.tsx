import { For } from "solid-js"
import { pathFor, type View } from "../model/Route.ts"
import { Icon } from "../parts/Icon.tsx"
import { usePage } from "./page.ts"

const items: ReadonlyArray<{ readonly view: View; readonly text: string }> = [
  { view: "tree", text: "Tree" },
  { view: "ensemble", text: "Ensemble" },
  { view: "recipes", text: "Recipes" },
  { view: "sessions", text: "Sessions" },
  { view: "events", text: "Events" }
]

export const Nav = () => {
  const { href, route } = usePage()
  return (
    <nav aria-label="Views">
      <For each={items}>
        {({ text, view }) => (
          <a
            class="nav-item"
            href={href({ view, path: pathFor(route()) })}
            aria-current={route().view === view ? "page" : undefined}
          >
            <Icon name={view} size={18} />
            <span>{text}</span>
          </a>
        )}
      </For>
    </nav>
  )
}
