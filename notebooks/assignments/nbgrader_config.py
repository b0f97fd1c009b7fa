"""nbgrader for TypeScript notebooks. This folder is the course: `nbgrader generate_assignment fixed-padding` and so on."""

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "halftone"

# nbgrader knows no TypeScript: without this, generate_assignment stops.
stub = '// YOUR CODE HERE\nthrow new Error("not implemented");'
c.ClearSolutions.code_stub = {"typescript": stub, "javascript": stub}

# Autograding warns "Attribute 'checksum' for cell ... has changed!" once for every locked cell that has hidden tests or a mark
# scheme: nbgrader keeps the checksum of the teacher's cell, and what students get is without that part. See README.md.

# A first import of the library takes a second or two; an endless loop is stopped after this many seconds.
c.Execute.timeout = 120
c.Execute.interrupt_on_timeout = True
