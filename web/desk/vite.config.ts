import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

export default defineConfig({
  base: '/desk/',
  plugins: [vue()],
  resolve: { alias: { '@shared': fileURLToPath(new URL('../shared', import.meta.url)) } },
  worker: { format: 'es' },
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
