from concurrent.futures import ThreadPoolExecutor

from sign_in import begin, finish


def test_the_code_that_was_sent_signs_in(code_for):
    begin("+34612345678")
    assert finish("+34612345678", code_for("+34612345678"))


def test_a_code_is_good_for_ten_minutes(code_for, advance):
    begin("+34612345678")
    code = code_for("+34612345678")
    advance("10m")
    assert not finish("+34612345678", code)


def test_people_at_the_same_time(code_for):
    people = [f"+3461234580{i}" for i in range(10)]

    def sign_in(to):
        begin(to)
        return finish(to, code_for(to))

    with ThreadPoolExecutor() as pool:
        assert all(pool.map(sign_in, people))
