import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  { ignores: ["dist", "wasm", "**/target", "models", "bench/peers/built", "bench/peers/venv"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
      // Numbers read well in messages.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // With noUncheckedIndexedAccess, `!` says that an index is in range.
      "@typescript-eslint/no-non-null-assertion": "off",
      // What the types exclude, callers from JavaScript still pass: it is checked all the same.
      "@typescript-eslint/no-unnecessary-condition": "off",
      "@typescript-eslint/no-unnecessary-boolean-literal-compare": "off",
      "@typescript-eslint/no-unnecessary-type-conversion": "off",
      // Taste.
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-invalid-void-type": "off",
      "@typescript-eslint/consistent-indexed-object-style": "off",
      "@typescript-eslint/consistent-type-definitions": "off",
      "no-restricted-syntax": [
        "error",
        {
          selector: "TSAsExpression > TSAsExpression > TSUnknownKeyword",
          message: "`as unknown as` defeats the types.",
        },
        {
          selector:
            "CallExpression[callee.object.name='Math'][callee.property.name=" +
            "/^(a?(cos|sin|tan)h?|atan2|cbrt|exp|expm1|log|log1p|log2|log10|pow|hypot)$/]",
          message: "Each JavaScript engine has its own bits for this: use the kernels'.",
        },
      ],
    },
  },
  { files: ["**/*.{js,mjs,cjs}"], extends: [tseslint.configs.recommended] },
  { files: ["src/op.ts"], rules: { "no-restricted-syntax": "off" } },
  {
    files: ["test/**/*.ts", "bench/**/*.ts"],
    rules: {
      // References in float64 may use what JavaScript has.
      "no-restricted-syntax": "off",
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/unbound-method": "off",
    },
  },
  // Tables of functions, whose types are those of their rows.
  {
    files: ["test/hostile/*.ts"],
    rules: { "@typescript-eslint/explicit-module-boundary-types": "off" },
  },
);
