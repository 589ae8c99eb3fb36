import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import uniPlugin from '@dcloudio/vite-plugin-uni'
import { defineConfig } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'

// The plugin is CommonJS, whose default export arrives wrapped.
const uni = (uniPlugin as unknown as { default?: typeof uniPlugin }).default ?? uniPlugin
const browser = process.env.UNI_PLATFORM === 'h5'
const out = process.env.UNI_OUTPUT_DIR ?? 'dist/build/h5'
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Neither build asks an outside address: uni-app's bars would fetch the picture of a shadow, which our pages do not show. */
const ownAddressesOnly = {
  name: 'own-addresses-only',
  enforce: 'post' as const, // after the styles have been put together
  generateBundle: {
    order: 'post' as const,
    handler(_: unknown, bundle: Record<string, { code?: string; source?: unknown }>) {
      for (const part of Object.values(bundle)) {
        if (part.code !== undefined) part.code = part.code.replaceAll(SHADOW, 'data:,')
        if (typeof part.source === 'string') part.source = part.source.replaceAll(SHADOW, 'data:,')
      }
    },
  },
}
const SHADOW = 'https://cdn.dcloud.net.cn/img/shadow-grey.png'

/** The WeChat package asks an address that is written into it; the browser asks where the page came from. */
const address = process.env.PAGES_CITY_ADDRESS ?? ''
if (!browser && !/^https?:\/\/[^/]+$/.test(address)) throw new Error('PAGES_CITY_ADDRESS must name the city: https://card.example.cn')

const offline = VitePWA({
  registerType: 'autoUpdate',
  injectRegister: 'script',
  base: '/app/',
  scope: '/app/',
  outDir: out,
  manifest: {
    id: '/app/',
    name: '市民卡 City card',
    short_name: '市民卡',
    description: '一张卡，一个应用 · one card, one app',
    lang: 'zh-CN',
    start_url: '/app/',
    scope: '/app/',
    display: 'standalone',
    background_color: '#f4f7f6',
    theme_color: '#0a665a',
    icons: [
      { src: 'static/icon.svg', sizes: 'any', type: 'image/svg+xml' },
      { src: 'static/icon-192.png', sizes: '192x192', type: 'image/png' },
      { src: 'static/icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any maskable' },
    ],
  },
  workbox: {
    globDirectory: out,
    globPatterns: ['**/*.{js,css,html,svg,png}'],
    navigateFallback: '/app/index.html',
    navigateFallbackAllowlist: [/^\/app\//],
    cleanupOutdatedCaches: true,
  },
})

/**
 * Plain scripts instead of modules: the browser keeps a compiled copy of them from the moment they are stored for times without network,
 * which it does not for modules, and a cold start need not compile anything.
 */
const plainScript = {
  name: 'plain-script',
  transformIndexHtml: { order: 'post' as const, handler: (page: string) => page.replace(/<script type="module" crossorigin src="/, '<script defer blocking="render" src="') },
}

/** What is opened later than the start lies in a script of its own, so that the start stays as small as it was. */
const LATER = /\/src\/(bills|pages\/(bills|top_up_back))[/.]/
const inTwoScripts = {
  format: 'system' as const,
  manualChunks: (id: string) => (LATER.test(id) ? 'later' : 'index'),
  banner: ({ isEntry }: { isEntry: boolean }) => (isEntry ? readFileSync(here('loading.js'), 'utf8') : ''),
}

export default defineConfig({
  plugins: [uni(), ownAddressesOnly, ...(browser ? [plainScript, offline] : [])],
  define: { __CITY_ADDRESS__: JSON.stringify(browser ? '' : address) },
  resolve: {
    alias: {
      '@platform': here(browser ? 'src/city/platform_browser.ts' : 'src/city/platform_weixin.ts'),
      '@shared': here('../shared'),
    },
  },
  build: {
    target: 'es2020',
    sourcemap: false,
    reportCompressedSize: false,
    ...(browser ? { modulePreload: false, cssCodeSplit: false, rollupOptions: { output: inTwoScripts } } : {}),
  },
})
