import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

/** The decoder would fetch itself from a network of others where nobody told it better; that address does not come into the pages at all. */
const noOutsideAddress: Plugin = {
  name: 'no-outside-address',
  transform: (code, id) => (id.includes('zxing-wasm') ? code.replaceAll('https://fastly.jsdelivr.net', '') : null),
}

export default defineConfig({
  base: '/desk/',
  plugins: [vue()],
  resolve: { alias: { '@shared': fileURLToPath(new URL('../shared', import.meta.url)) } },
  worker: { format: 'es', plugins: () => [noOutsideAddress] },
  build: {
    outDir: process.env['PAGES_OUT'] ?? 'dist/pages',
    emptyOutDir: true,
    target: 'es2022',
    // The decoder stays a file of its own: it is loaded by the worker alone, and only when a camera is opened.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
