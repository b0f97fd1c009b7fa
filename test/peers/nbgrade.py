"""Runs nbgrader in the course folder that it is started in, by the shipped configuration. Prints what became of it as JSON.

nbgrade.py generate                 all students' versions, as `nbgrader generate_assignment`
nbgrade.py grade TIMEOUT [STUDENT=TIMEOUT ...]
                                    autogrades what lies in submitted/, gives feedback, and tells every test's score
"""

import json
import os
import sys

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import PyFileConfigLoader

config = PyFileConfigLoader("nbgrader_config.py").load_config()
config.CourseDirectory.root = os.getcwd()
course = CourseDirectory(config=config)
api = NbGraderAPI(course, config=config)


def must(result):
    if not result["success"]:
        sys.exit(result["log"] + str(result["error"]))


if sys.argv[1] == "generate":
    for name in sorted(os.listdir("source")):
        must(api.generate_assignment(name))
else:
    scores = {}
    timeouts = dict(argument.split("=") for argument in sys.argv[3:])
    for student in sorted(os.listdir("submitted")):
        api.config.Execute.timeout = int(timeouts.get(student, sys.argv[2]))
        for name in sorted(os.listdir(f"submitted/{student}")):
            must(api.autograde(name, student))
            must(api.generate_feedback(name, student))
            with Gradebook(course.db_url, course.course_id) as book:
                [submission] = book.find_submission(name, student).notebooks
                scores[f"{student}/{name}"] = {grade.name: grade.auto_score for grade in submission.grades}
                scores[f"{student}/{name}"]["total"] = submission.score
    print(json.dumps(scores))
