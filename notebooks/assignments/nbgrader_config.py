"""Configures nbgrader for TypeScript notebooks. This folder is the course: `nbgrader generate_assignment fixed-padding` and so on."""

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "halftone"

# nbgrader has no stub for TypeScript: without this one, generate_assignment stops.
stub = '// YOUR CODE HERE\nthrow new Error("not implemented");'
c.ClearSolutions.code_stub = {"typescript": stub, "javascript": stub}

# Autograding warns "Attribute 'checksum' for cell ... has changed!" once for every locked cell that has hidden tests or a mark
# scheme: nbgrader stores the checksum of the teacher's cell, and students get the cell without that part. See README.md.

# nbgrader stops an endless loop after this many seconds. The first import of the library takes one or two.
c.Execute.timeout = 120
c.Execute.interrupt_on_timeout = True
