import { defineConfig } from "vitepress"
import { repositoryLinks } from "./repositoryLinks.ts"
import { sidebar } from "./sidebar.ts"

export default defineConfig({
  title: "effect-zookeeper",
  description: "A ZooKeeper client in TypeScript, for Effect and for Promises",
  lang: "en",
  // No icon: browsers would ask for one.
  head: [["link", { rel: "icon", href: "data:," }]],
  srcExclude: ["README.md"],
  markdown: { config: (md) => void md.use(repositoryLinks) },
  transformPageData: ({ frontmatter, relativePath }) =>
    relativePath.startsWith("api/") ? { frontmatter: { ...frontmatter, pageClass: "api" } } : {},
  // The index of the local search is one file.
  vite: { build: { chunkSizeWarningLimit: 4_000 } },
  themeConfig: {
    outline: [2, 3],
    search: { provider: "local" },
    nav: [
      { text: "Quick start", link: "/quick-start/promises" },
      { text: "Guides", link: "/guides/errors" },
      { text: "Recipes", link: "/reference/recipes" },
      { text: "Files", link: "/reference/storage" },
      { text: "API", link: "/api/" }
    ],
    sidebar: sidebar()
  }
})
