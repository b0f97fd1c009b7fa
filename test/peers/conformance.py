"""jupyter_kernel_test with every sample filled: a skipped test counts as a failure (see conformance.test.ts)."""

import unittest

import jupyter_kernel_test


class HalftoneTests(jupyter_kernel_test.KernelTests):
    kernel_name = "halftone"
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('oops')"
    completion_samples = [
        {"text": "Math.ma", "matches": {"max"}},
        {"text": "[1, 2].flatM", "matches": {"flatMap"}},
        {"text": "%ti", "matches": {"%time", "%timeit"}},
        {"text": "let unmistakable = 1; unmist", "matches": {"unmistakable"}},
    ]
    complete_code_samples = ["1 + 1", "const f = async () => 1", "enum A { B }", "%time 1", "//| echo: false\n1"]
    incomplete_code_samples = ["function f() {", "`abc", "[1,", "1 +", "%%bash\nls"]
    invalid_code_samples = ["1 + )", "const const = 1", '"abc']
    code_page_something = "Math.max?"
    code_generate_error = "throw new RangeError('too far')"
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "'é' + '😀'", "result": "'é😀'"},
        {"code": "await Promise.resolve([1, 2])", "result": "[ 1, 2 ]"},
        {"code": "const x: number = 1; x / 2", "result": "0.5"},
        {"code": "6 * 7 + 0", "result": "42"},
    ]
    code_display_data = [
        {"code": "%%html\n<b>bold</b>", "mime": "text/html"},
        {"code": "import { display } from 'tslab'; display.svg('<svg/>')", "mime": "image/svg+xml"},
    ]
    code_history_pattern = "6 ? 7"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "Math.max"
    code_clear_output = "console.clear()"


class HalftoneWelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "halftone"
    support_iopub_welcome = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
